"""Paths in settings, written in one way. Relative ones mean the project's root, in which commands run."""

import os
from pathlib import Path


def plain(path: str) -> str:
    """Return a path as it is kept: what lies in the current folder relative to it, so that a project may move.

    `x`, `./x`, `x/` and the absolute path of `x` are one; so are `~/x` and the home folder's. Links
    are not followed.

    Raises
    ------
    ValueError
        If the home folder is of nobody known.
    """
    try:
        whole = Path(os.path.normpath(Path(path).expanduser()))
    except RuntimeError as error:
        raise ValueError(f"there is no such home folder: {error}") from None
    for folder in (whole, *whole.parents) if whole.is_absolute() else ():
        # pathlib's raise for folders that may not be looked at, and for names that are too long
        if os.path.exists(folder) and os.path.samefile(folder, "."):  # noqa: PTH110, PTH121
            return str(whole.relative_to(folder))
    return str(whole)
