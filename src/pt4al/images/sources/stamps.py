"""A stamp says whether a file has changed, without reading it."""

import os


def stamp(facts: os.stat_result) -> str:
    """Return text that is another when a file's size or time of change is: of `path.stat()`."""
    return f"{facts.st_size}-{facts.st_mtime_ns}"
