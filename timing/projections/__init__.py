"""What is computed from the log: evidence, timing, board, frames and the decider. No I/O, no clock."""
