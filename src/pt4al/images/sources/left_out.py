"""Say what a source left out: how many, and the names of the first."""

from collections.abc import Sequence

SHOWN = 3  # names


def summarise(names: Sequence[str], one: str, many: str) -> list[str]:
    """Return `3 files that are no pictures (a.txt, b.txt, c.txt)` in a list; empty for none."""
    if not names:
        return []
    shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    return [f"{len(names):,} {one if len(names) == 1 else many} ({shown})"]
