"""Verifying: whether a log, an export or a sheet is what was written, published and signed."""
