"""Nodes of stage `ranking`."""

import pandas as pd

from pt4al.project.configuration.parameters import Cycles, Ranking, Run
from pt4al.randomness import stream
from pt4al.selection.ranking import draw, rank, split


def rank_pool(
    pretext_loss: pd.DataFrame, ranking: Ranking, cycles: Cycles, run: Run
) -> pd.DataFrame:
    """Return `id`, `pretext_loss`, `rank`, `batch`; of the seed's share of the pool alone."""
    rows = draw(len(pretext_loss), ranking.share, stream(run.seed, "ranking share"))
    held = pretext_loss.iloc[rows]
    rng = stream(run.seed, "ranking")
    ranked = rank(held["id"], held["pretext_loss"].to_numpy(), ranking.order, rng)
    return split(ranked, cycles.number, ranking.batches, ranking.drop, rng)
