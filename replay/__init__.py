"""What is done with a session after, or instead of, living it: simulation, verification and replay of logs."""
