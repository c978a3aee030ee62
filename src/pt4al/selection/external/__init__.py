"""Rank, split and choose by numbers that lie in files, of any size, within a bound of memory."""
