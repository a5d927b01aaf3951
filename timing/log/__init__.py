"""The append-only event log: the only input of everything that computes."""
