"""How many labels a round of `kedro label` asks for, where nobody has said."""

import os
from itertools import islice
from pathlib import Path

from pt4al.images.sources.folders import is_picture
from pt4al.project.runs.folder import RunFolder

ASKED = 2  # of so many pictures one is asked for, in all rounds, at most


def usual_budget(folder: RunFolder, images: Path, default: int, rounds: int) -> int:
    """Return what a run has, or a new one gets: less than the default of a small folder.

    Parameters
    ----------
    folder
        The run's files; its budget stays what it was, whatever is in the folder of pictures now.
    images
        Where its pictures are: a folder, or a table of them, which gets the default.
    """
    if folder.configuration_file.exists():
        budget = folder.configuration()["cycles.budget"]
        return budget if isinstance(budget, int) else default
    if not images.is_dir():
        return default
    enough = ASKED * default * rounds
    pictures = sum(1 for _ in islice(_pictures(images), enough))
    return max(pictures // (ASKED * rounds), 1) if 0 < pictures < enough else default


def _pictures(folder: Path):
    for _, _, names in os.walk(folder, followlinks=True):
        yield from filter(is_picture, names)
