"""Reporting: the numbers, figures and page that a run leaves for its reader."""
