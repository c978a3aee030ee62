"""Nodes of pipeline `cold_start`."""

import hashlib
from collections.abc import Iterator
from functools import partial
from itertools import chain, product

import numpy as np
import pandas as pd

from pt4al.cluster.seam import in_shards
from pt4al.errors import InputError
from pt4al.features import probe
from pt4al.features.vectors import Features, View
from pt4al.files.stored_table import StoredTable
from pt4al.labels.recorded import recorded_answers
from pt4al.pages.cold_start import render_cold_start_page
from pt4al.project.configuration.parameters import ColdStart, Engine, Main, Query, Run
from pt4al.randomness import stream
from pt4al.selection.candidates import STARTS, start
from pt4al.selection.evidence import Evidence
from pt4al.selection.ranked import RankedRows
from pt4al.selection.strategies import STRATEGIES
from pt4al.statistics.cold_start import summarise
from pt4al.training.tasks import classification

CELL = ["start", "budget", "seed"]
SHARD = 4  # first queries that a worker chooses, or measures, at once


def choose(
    features: Features,
    ranking: StoredTable,
    classes: list[str],
    cold_start: ColdStart,
    query: Query,
    main: Main,
    engine: Engine,
) -> pd.DataFrame:
    """Return every first query: `start`, `budget`, `seed`, `id`.

    A seed chooses as a run with that seed would.
    """
    if main.task != "classification":
        raise InputError(
            "pipeline cold_start is for `main.task: classification` alone: it fits a linear probe"
        )
    parts = ranking.portions(["id", "pretext_loss", "rank", "batch"])
    ranked = RankedRows.gather(parts, features.rows, len(features))
    candidates = ranked.unlabelled(np.empty(0, np.int64), query.scope, 0)
    largest = max(cold_start.budgets)
    if largest > len(candidates):
        raise InputError(
            f"`cold_start.budgets` asks for {largest} labels; {len(candidates)} images may be "
            "asked for"
        )

    def choose_some(seen: View, shard: list[tuple]) -> list[np.ndarray]:
        return [_chosen(*cell, candidates, seen, len(classes)) for cell in shard]

    cells = list(product(cold_start.starts, cold_start.budgets, range(cold_start.seeds)))
    shards = _cut(cells)
    prepare = partial(features.view, candidates["id"].to_numpy())
    chosen = []
    for shard, queries in in_shards(choose_some, shards, engine.workforce, prepare, "queries"):
        for cell, rows in zip(shard, queries, strict=True):
            ids = features.ids.iloc[rows].array
            chosen.append(pd.DataFrame(dict(zip(CELL, cell, strict=True)) | {"id": ids}))
    return pd.concat(chosen, ignore_index=True)


def measure(
    start_queries: pd.DataFrame,
    recorded_labels: pd.DataFrame,
    features: Features,
    test_features: Features,
    test_labels: pd.DataFrame,
    classes: list[str],
    engine: Engine,
) -> pd.DataFrame:
    """Return the accuracies of a probe of each query.

    Columns `start`, `budget`, `seed`, `accuracy`, `balanced_accuracy`, and `query`, which is equal
    for equal queries.
    """
    asked = recorded_answers(recorded_labels, start_queries["id"].drop_duplicates())
    learnt = pd.DataFrame(features.gather(features.rows(asked["id"])).numpy(), index=asked["id"])
    targets = pd.Series(classification.targets(asked["label"], classes).numpy(), index=asked["id"])
    tested = test_features.gather(test_features.rows(test_labels["id"])).numpy()
    truths = classification.targets(test_labels["label"], classes)

    def probe_some(_: None, shard: list[list[str]]) -> list[dict[str, float]]:
        measured = []
        for ids in shard:
            weight, bias, _ = probe.fit(
                learnt.loc[ids].to_numpy(), targets.loc[ids].to_numpy(), len(classes)
            )
            measured.append(classification.evaluate(tested @ weight.T + bias, truths, classes))
        return measured

    cells = start_queries.groupby(CELL, sort=False)["id"].agg(sorted)
    digests = [hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12] for ids in cells]
    queries = dict(zip(digests, cells, strict=True))  # some starts choose the same with every seed
    measured = in_shards(probe_some, _cut(list(queries.values())), engine.workforce, title="probes")
    metrics = dict(zip(queries, chain.from_iterable(found for _, found in measured), strict=True))
    rows = []
    for cell, digest in zip(cells.index, digests, strict=True):
        accuracies = {name: metrics[digest][name] for name in ("accuracy", "balanced_accuracy")}
        rows.append(dict(zip(CELL, cell, strict=True)) | accuracies | {"query": digest})
    return pd.DataFrame(rows)


def report(measured: pd.DataFrame, run: Run) -> tuple[pd.DataFrame, str]:
    """Return the summary by start and budget, and the page."""
    summary = summarise(measured)
    return summary, render_cold_start_page(f"First queries of run {run.name}", summary)


def _cut(cells: list) -> Iterator[list]:
    """Cut a list into shards."""
    return (cells[first : first + SHARD] for first in range(0, len(cells), SHARD))


def _chosen(
    rule: str, budget: int, seed: int, candidates: pd.DataFrame, features: View, classes: int
) -> np.ndarray:
    """The rows of one first query."""
    if rule in STARTS:
        return start(candidates, rule, budget, stream(seed, "query"))["id"].to_numpy()
    evidence = Evidence(
        budget=budget,
        rng=stream(seed, "strategy"),
        cycle=0,
        classes=classes,
        batches=candidates["batch"].to_numpy(),
        losses=candidates["pretext_loss"].to_numpy(),
        features=features,
        labelled=features[:0],
    )
    return candidates["id"].to_numpy()[STRATEGIES[rule]().choose(evidence)]
