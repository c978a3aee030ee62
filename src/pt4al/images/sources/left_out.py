"""Say what a source did not take: how many, and the first of them by name."""

from collections.abc import Sequence

SHOWN = 3  # names


def told(names: Sequence[str], one: str, many: str) -> list[str]:
    """Return `3 files that are no pictures (a.txt, b.txt, c.txt)` in a list, or an empty one where there are none."""
    if not names:
        return []
    shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    return [f"{len(names):,} {one if len(names) == 1 else many} ({shown})"]
