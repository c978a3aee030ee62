"""Plots: the pictures of reports."""
