"""Nodes of pipeline `cold_start`."""

import hashlib
from itertools import product

import pandas as pd

from pt4al.errors import InputError
from pt4al.features import probe
from pt4al.features.vectors import Features, View
from pt4al.labels.recorded import recorded_answers
from pt4al.pages.cold_start import render_cold_start_page
from pt4al.project.configuration.parameters import ColdStart, Main, Query, Run
from pt4al.randomness import stream
from pt4al.selection.candidates import STARTS, in_pool_order, start, unlabelled
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies import STRATEGIES
from pt4al.statistics.cold_start import summarise
from pt4al.training.tasks import classification

CELL = ["start", "budget", "seed"]


def choose(
    features: Features,
    ranking: pd.DataFrame,
    classes: list[str],
    cold_start: ColdStart,
    query: Query,
    main: Main,
) -> pd.DataFrame:
    """Return every first query: `start`, `budget`, `seed`, `id`.

    A seed chooses as a run with that seed would.
    """
    if main.task != "classification":
        raise InputError(
            "pipeline cold_start is for `main.task: classification` alone: it fits a linear probe"
        )
    ranking = in_pool_order(ranking, features.rows(ranking["id"]))
    candidates = unlabelled(ranking, pd.Series(dtype="str"), query.scope, 0)
    largest = max(cold_start.budgets)
    if largest > len(candidates):
        raise InputError(
            f"`cold_start.budgets` asks for {largest} labels; {len(candidates)} images may be "
            "asked for"
        )
    seen = features.view(features.rows(candidates["id"]))
    chosen = []
    seeds = range(cold_start.seeds)
    for rule, budget, seed in product(cold_start.starts, cold_start.budgets, seeds):
        ids = _chosen(rule, budget, seed, candidates, seen, len(classes))
        chosen.append(pd.DataFrame({"start": rule, "budget": budget, "seed": seed, "id": ids}))
    return pd.concat(chosen, ignore_index=True)


def measure(
    start_queries: pd.DataFrame,
    recorded_labels: pd.DataFrame,
    features: Features,
    test_features: Features,
    test_labels: pd.DataFrame,
    classes: list[str],
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
    metrics = {}
    rows = []
    for cell, query in start_queries.groupby(CELL, sort=False):
        ids = sorted(query["id"])
        digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12]
        if digest not in metrics:  # some starts choose the same with every seed
            weight, bias, _ = probe.fit(
                learnt.loc[ids].to_numpy(), targets.loc[ids].to_numpy(), len(classes)
            )
            metrics[digest] = classification.evaluate(tested @ weight.T + bias, truths, classes)
        accuracies = {name: metrics[digest][name] for name in ("accuracy", "balanced_accuracy")}
        rows.append(dict(zip(CELL, cell, strict=True)) | accuracies | {"query": digest})
    return pd.DataFrame(rows)


def report(measured: pd.DataFrame, run: Run) -> tuple[pd.DataFrame, str]:
    """Return the summary by start and budget, and the page."""
    summary = summarise(measured)
    return summary, render_cold_start_page(f"First queries of run {run.name}", summary)


def _chosen(
    rule: str, budget: int, seed: int, candidates: pd.DataFrame, features: View, classes: int
) -> pd.Series:
    """The ids of one first query."""
    if rule in STARTS:
        return start(candidates, rule, budget, stream(seed, "query"))["id"]
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
    return candidates["id"].iloc[STRATEGIES[rule]().choose(evidence)]
