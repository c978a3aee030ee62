"""Benchmark `ranking`: seconds to rank and split ten million losses."""

import numpy as np
import pandas as pd

from document import Section
from pt4al.selection import ranking
from pt4al.training.precision import Hardware
from timing import seconds

BATCHES = 10
TEXT = """
float32 losses with ties, ids of 21 characters, order `hardest_first`; medians. *Sort* and *ids* are parts of *rank*,
measured apart: the stable sort, and the ids in their new order; its rest is making tables and checking for losses that
are not numbers. Goal for all of it: 3 seconds.
"""


def measure(hardware: Hardware, quick: bool) -> Section:
    """Rank and split, several times."""
    images, repeats = (100_000, 1) if quick else (10_000_000, 5)
    ids = pd.Series([f"pictures/{row:08d}.png" for row in range(images)], dtype="str")
    # Rounded: equal losses, as a network that is sure of its answers gives them, must not slow the sort down.
    losses = np.random.default_rng(0).exponential(size=images).astype(np.float32).round(6)
    found = pd.DataFrame([_round(ids, losses) for _ in range(repeats + 1)][1:]).median()
    columns = {name: f"{value:.2f} s" for name, value in found.items()}
    return Section("ranking", pd.DataFrame([{"images": f"{images:,}", **columns, "rounds": str(repeats)}]), TEXT)


def _round(ids: pd.Series, losses: np.ndarray) -> dict[str, float]:
    made = {}

    def keep(name: str, value: object) -> None:
        made[name] = value

    taken = {
        "rank": seconds(lambda: keep("ranked", ranking.rank(ids, losses))),
        "of it: sort": seconds(lambda: keep("rows", ranking.ORDERS["hardest_first"](losses, None))),
        "of it: ids": seconds(lambda: ids.array.take(made["rows"])),
        "split": seconds(lambda: ranking.split(made["ranked"], BATCHES)),
    }
    return {"rank and split": taken["rank"] + taken["split"], **taken}
