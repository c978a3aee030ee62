"""Nodes of stage `ranking`."""

import pandas as pd

from pt4al.parameters import Cycles, Ranking, Run
from pt4al.randomness import stream
from pt4al.selection import ranking as selection


def rank(pretext_loss: pd.DataFrame, ranking: Ranking, cycles: Cycles, run: Run) -> pd.DataFrame:
    """Return `id`, `pretext_loss`, `rank`, `batch`."""
    rng = stream(run.seed, "ranking")
    ranked = selection.rank(pretext_loss["id"], pretext_loss["pretext_loss"].to_numpy(), ranking.order, rng)
    return selection.split(ranked, cycles.number, ranking.batches, ranking.drop, rng)
