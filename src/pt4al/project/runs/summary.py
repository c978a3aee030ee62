"""What a run found, in a few lines at its end."""

from pathlib import Path

import pandas as pd
from kedro.io import CatalogProtocol

from pt4al.pipelines.report.history import find_baselines
from pt4al.project.configuration.parameters import Parameters
from pt4al.statistics.label_savings import compare_in_words
from pt4al.training.tasks import TASKS

ARROW = "->"


def summarise_run(parameters: Parameters, catalog: CatalogProtocol) -> list[str]:
    """Return the curve, the comparison with a baseline, the audit's sentence and the next command."""
    curve = catalog.load("learning_curve")
    metric = TASKS[parameters.main.task].metric
    baselines = find_baselines(parameters, curve, catalog.load("run_curves"))
    lines = [f"result: {_curve(curve, metric)}"]
    lines += [compare_in_words(curve, other, name, metric) for name, other in baselines.items()]
    audit = catalog.load("pretext_audit")
    if len(audit):
        lines.append(f"ranking: {audit['sentence'].iloc[-1]}")
    page = Path(catalog["report"]._filepath)
    lines.append(f"report: {page.absolute().as_uri()}")
    if not baselines and "images" not in curve:  # control images say more than another run
        command = catalog.load("next_commands")["baseline"]
        lines.append(f"no baseline yet; whether choosing helped, this says: {command}")
    return lines


def _curve(curve: pd.DataFrame, metric: str) -> str:
    labels = list(dict.fromkeys([curve["labels"].iloc[0], curve["labels"].iloc[-1]]))
    shares = list(
        dict.fromkeys([_percent(curve[metric].iloc[0]), _percent(curve[metric].iloc[-1])])
    )
    reached = f"{metric} {f' {ARROW} '.join(shares)} %"
    return f"{f' {ARROW} '.join(f'{number:,}' for number in labels)} labels, {reached}"


def _percent(share: float) -> str:
    return "unknown" if pd.isna(share) else f"{100 * share:.1f}"
