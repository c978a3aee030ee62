"""Say which run a page is of, and with which settings, so that saved pages can be told apart."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from pt4al.files import records
from pt4al.pipelines.report.history import RunHistory
from pt4al.project.configuration.dotted import flat, nested
from pt4al.project.configuration.identity import BESIDE
from pt4al.project.configuration.next_commands import chooses_at_random
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.folder import RunFolder

AUTO = "auto"  # a default that becomes another value on each machine


def marks(history: RunHistory, folder: RunFolder) -> list[str]:
    """Return what tells a run from others: strategy, data set, seed, date, and MLflow's run."""
    settings = history.settings
    data = Path(settings.pool.source.path).name
    told = [
        strategy(settings),
        f"{data} ({len(history.pool):,} images)",
        f"seed {settings.run.seed}",
    ]
    measured = folder.newest("metrics.json", len(history.learning_curve) - 1)
    if measured is not None:
        day = datetime.fromtimestamp(measured.stat().st_mtime, UTC)
        told.append(f"{day.day} {day:%B %Y}")
    row = folder.newest("mlflow_run.json")
    if row is not None and "run_id" in (known := records.recall(row)):
        told.append(f"MLflow run {known['run_id'][:8]}")
    return told


def strategy(settings: Parameters) -> str:
    """Return how a run chooses, in a few words: `margin`, `PT4AL (least_confidence by batch)`."""
    query = settings.query
    if chooses_at_random(flat(settings.model_dump(mode="json"))):
        return "random"
    chosen = query.measure if query.strategy == "top" else query.strategy
    if query.scope == "batch":
        chosen = f"{chosen} within batches of the ranking"
    return chosen if query.start == "random" else f"{chosen} after {query.start}"


def changed_settings(settings: Parameters, defaults: dict[str, Any]) -> str:
    """Return the settings that differ from the defaults, as YAML; empty if none does.

    A default that is `auto` stands for whatever value it has become.
    """
    usual = flat(defaults)
    own = flat(settings.model_dump(mode="json", exclude=BESIDE))
    differing = {
        name: value
        for name, value in own.items()
        if usual.get(name) != AUTO and value != usual.get(name)
    }
    return as_yaml(nested(differing))


def all_settings(settings: Parameters) -> str:
    """Return all settings of a run, as YAML."""
    return as_yaml(settings.model_dump(mode="json", exclude=BESIDE))


def as_yaml(blocks: dict[str, Any]) -> str:
    """Return settings as a file of conf/ holds them."""
    if not blocks:
        return ""
    return yaml.safe_dump(blocks, sort_keys=False, allow_unicode=True, width=100).strip()
