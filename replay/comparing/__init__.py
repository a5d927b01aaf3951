"""Comparing: two ways of knowing or judging a session side by side, and why each car stands where it does in one and not in the other."""
