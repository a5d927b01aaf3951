"""The sport: events, rules and the arithmetic of laps. No I/O, no clock, no randomness."""
