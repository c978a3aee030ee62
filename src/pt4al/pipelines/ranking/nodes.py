"""Nodes of stage `ranking`."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from pt4al.files.stored_table import StoredTable
from pt4al.project.configuration.parameters import Cycles, Engine, Ranking, Run
from pt4al.randomness import stream
from pt4al.selection.external import writing
from pt4al.selection.ranking import draw, held, rank, split


def rank_pool(
    pretext_loss: StoredTable, ranking: Ranking, cycles: Cycles, engine: Engine, run: Run
) -> pd.DataFrame | Callable[[Path, Path], None]:
    """Return `id`, `pretext_loss`, `rank`, `batch`; of the seed's share of the pool alone.

    Of a large pool, return what writes them to a file, and is given the file and a folder to work
    in.
    """
    images = len(pretext_loss)
    rows = None
    if ranking.share < 1:
        rows = draw(images, ranking.share, stream(run.seed, "ranking share"))
    rng = stream(run.seed, "ranking")
    if held(images, ranking.share) > writing.IN_MEMORY:
        rules = writing.Rules(ranking.order, cycles.number, ranking.batches, ranking.drop, rng)
        cluster = replace(engine.workforce, gpus=0.0)
        return partial(
            writing.write_ranking, losses=pretext_loss, rows=rows, rules=rules, cluster=cluster
        )
    table = pretext_loss.read(["id", "pretext_loss"])
    if rows is not None:
        table = table.iloc[rows]
    ranked = rank(table["id"], table["pretext_loss"].to_numpy(), ranking.order, rng)
    return split(ranked, cycles.number, ranking.batches, ranking.drop, rng)
