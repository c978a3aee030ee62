"""Rank and split pools of any size in files, within a bound of memory."""
