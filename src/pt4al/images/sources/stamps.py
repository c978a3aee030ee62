"""A stamp says whether a file has changed, without reading it."""

import os


def stamp(facts: os.stat_result) -> str:
    """Return text that changes with a file's size or modification time, from `path.stat()`."""
    return f"{facts.st_size}-{facts.st_mtime_ns}"
