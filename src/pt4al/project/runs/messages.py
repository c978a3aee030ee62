"""What a command says while it runs: what its outputs mean, how long a node took, where its pages are."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from pt4al.errors import counted
from pt4al.project.configuration.parameters import Engine
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.machine import stage_of
from pt4al.project.runs.summary import summarise_run
from pt4al.training.tasks import TASKS

logger = logging.getLogger(__name__)

NOTEWORTHY = 1.0  # seconds of a node
PAGES = ("cold_start_page", "comparison_page", "predictions_page")


def tell(dataset: str, data: Any, catalog: CatalogProtocol) -> None:
    """Say what an output means that was just saved, if there is something to say."""
    namespace, _, name = dataset.rpartition(".")
    if name in MESSAGES:
        MESSAGES[name](data, catalog, namespace)


def tell_engine(engine: Engine) -> None:
    """Say on what a command computes."""
    threads = counted(engine.threads, "thread")
    logger.info("%s, %s, %s", engine.device, engine.precision, threads)


def tell_seconds(node: Node, seconds: float) -> None:
    """Say how long a node took, saving included; of those that took no time only with -v."""
    level = logging.INFO if seconds >= NOTEWORTHY else logging.DEBUG
    logger.log(level, "%-10s %-18s %6.1f s", stage_of(node), node.name.split(".")[-1], seconds)


def tell_pages(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Say where the pages are that a command has made, and of a run what it found."""
    made = pipeline.datasets()
    for name in PAGES:
        if name in made:
            logger.info("report: %s", Path(catalog[name]._filepath).absolute().as_uri())
    for name in ("predictions", "predictions_list"):
        if name in made:
            logger.info("predictions: %s", catalog[name]._filepath)
    if "report" in made:
        for line in summarise_run(parse(catalog.load("parameters")), catalog):
            logger.info("%s", line)
    elif "intake" in made:
        logger.info("intake report: %s", Path(catalog["intake"]._filepath).absolute().as_uri())


def _tell_metrics(metrics: dict[str, float], catalog: CatalogProtocol, cycle: str) -> None:
    parameters = parse(catalog.load("parameters"))
    task = TASKS[parameters.main.task]
    if parameters.oracle.kind == "people":  # who count from 1
        cycle = f"round {int(cycle.removeprefix('cycle_')) + 1}"
    reached = _percent(metrics, task.metric)
    labels = counted(metrics["labels"], "label")
    logger.info("%s: %s, %s %s", cycle, labels, task.metric, reached)


def _percent(metrics: dict[str, float], metric: str) -> str:
    if "images" not in metrics:  # of a test split
        return f"{100 * metrics[metric]:.1f} %"
    measured = "unknown"
    if metrics[metric] is not None:
        measured = f"{100 * metrics[metric]:.0f} %"
    interval = f"{100 * metrics['low']:.0f} to {100 * metrics['high']:.0f} %"
    return f"{measured} ({interval}, by {counted(metrics['images'], 'control image')})"


def _tell_intake(message: str) -> Callable[..., None]:
    def tell_table(table: Any, catalog: CatalogProtocol, namespace: str) -> None:
        if len(table):
            logger.warning(message, table["id"].nunique(), catalog["intake"]._filepath)

    return tell_table


def _tell_source(summary: dict[str, Any], catalog: CatalogProtocol, namespace: str) -> None:
    for sentence in summary["found"]:
        logger.warning("%s", sentence)


def _tell_pretext_checks(checks: Any, catalog: CatalogProtocol, namespace: str) -> None:
    matters = parse(catalog.load("parameters")).query.uses_ranking
    for sentence in checks["sentence"][checks["alarm"]]:
        if matters:
            logger.warning("pretext losses: %s", sentence)
        else:
            logger.info("pretext losses, which choose nothing here: %s", sentence)


def _tell_leaks(checks: Any, catalog: CatalogProtocol, namespace: str) -> None:
    for row in checks[~checks["ok"]].itertuples():
        logger.error('LABELS LEAKED. Not true: "%s" %s', row.check, row.found)


def _tell_agreement(facts: dict[str, Any], catalog: CatalogProtocol, namespace: str) -> None:
    if facts.get("overruled"):
        logger.warning(
            "labels: people differ on %s, and on %d of these the newest answer counts against what "
            "most say: oracle.disagreement=majority",
            counted(facts["disputed"], "image"),
            facts["overruled"],
        )


MESSAGES = {
    "metrics": _tell_metrics,
    "problems": _tell_intake("pictures that could not be used: %d; %s says which, and why"),
    "duplicates": _tell_intake("pictures that occur more than once: %d; %s shows them"),
    "source_summary": _tell_source,
    "pretext_checks": _tell_pretext_checks,
    "leak_check": _tell_leaks,
    "agreement": _tell_agreement,
}
