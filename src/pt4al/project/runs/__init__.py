"""Runs: their folders, how they resume, and every check before one starts."""
