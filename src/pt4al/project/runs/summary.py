"""What a run found, in a few lines at its end."""

from pathlib import Path

import pandas as pd
from kedro.io import CatalogProtocol

from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.next_commands import chooses_at_random
from pt4al.project.configuration.parameters import Parameters
from pt4al.statistics.run_verdict import in_words
from pt4al.training.tasks import TASKS


def summarise_run(parameters: Parameters, catalog: CatalogProtocol) -> list[str]:
    """Return the verdict of the page, the curve, the audit's sentence and the next command."""
    curve = catalog.load("learning_curve")
    verdict = catalog.load("verdict")
    metric = TASKS[parameters.main.task].metric
    lines = [f"result: {in_words(verdict)}"]
    if not verdict["early"]:
        lines.append(f"curve: {_curve(curve, metric)}")
    audit = catalog.load("pretext_audit")
    if len(audit):
        ranking = "ranking"
        if not parameters.query.uses_ranking:
            ranking = "ranking, which chose nothing here"
        lines.append(f"{ranking}: {audit['sentence'].iloc[-1]}")
    page = Path(catalog["report"]._filepath)
    lines.append(f"report: {page.absolute().as_uri()}")
    # A run that chooses at random is a baseline itself; control images say more than another run.
    at_random = chooses_at_random(flat(parameters.model_dump(mode="json")))
    if at_random or "images" in curve:
        return lines
    commands = catalog.load("next_commands")
    if verdict["random"] is None:
        lines.append(f"whether choosing helped, this says: {commands['baseline']}")
    elif commands["comparison"]:
        lines.append(f"the same by many seeds: {commands['comparison']}")
    return lines


def _curve(curve: pd.DataFrame, metric: str) -> str:
    """Return the first and the last cycle: `40 -> 200 labels, accuracy 66.1 -> 77.5 %`."""
    ends = curve.iloc[[0, -1]] if len(curve) > 1 else curve
    labels = " -> ".join(f"{number:,}" for number in ends["labels"])
    shares = " -> ".join(_percent(share) for share in ends[metric])
    return f"{labels} labels, {metric} {shares} %"


def _percent(share: float) -> str:
    return "?" if pd.isna(share) else f"{100 * share:.1f}"
