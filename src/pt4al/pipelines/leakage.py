"""Which nodes may read labels that nobody asked for, and what was measured with test labels."""

import pandas as pd
from kedro.pipeline import Pipeline

from pt4al.errors import InputError

# Datasets by their names without namespace, and the nodes that may read them, by theirs.
READERS = {
    "recorded_labels": {"ask_oracle", "report_intake", "measure_starts"},
    "test_labels": {"evaluate", "evaluate_probe", "report_intake", "measure_starts"},
    "test_pool": {
        "evaluate",
        "label_test",
        "inspect",
        "report_intake",
        "check_leaks",
        "find_failures",
        "judge_run",
        "compute_test_features",
    },
    "test_features": {"evaluate", "evaluate_probe", "measure_starts"},
    "problems": {"report_intake", "write_report"},
    "duplicates": {"report_intake", "write_report"},
    "source_summary": {"write_report"},
    "known_labels": {"start"},
    "intake": {"start"},  # which waits for the page, and does not look at it
    "metrics": {"collect_curve"},
    "test_predictions": set(),  # the report reads it by its other name, as far as it is there
    "known_test_predictions": {"find_failures", "judge_run"},
    "probe_metrics": {"write_report"},
    "run_curves": {"judge_run", "weigh"},
}
# Nodes of earlier versions that were readers too: what they have read stands in a run's log.
FORMER_READERS = {"run_curves": {"draw_pictures", "write_report"}}
# What the readers may write for others to read: answers to a query, and a label set without labels.
OPEN = {"answers", "start_label_set"}


def guarded(dataset: str) -> bool:
    """Return whether only some nodes may read a dataset."""
    return _plain(dataset) in READERS


def check_readers(pipeline: Pipeline) -> None:
    """Raise InputError if a label could get to a query or a training by any way but through the oracle.

    Nodes tagged `report` may pass on to each other what they have read, and to nobody else.
    """
    for node in pipeline.nodes:
        read = {_plain(name) for name in node.inputs if guarded(name)}
        for name in sorted(name for name in read if node.short_name not in READERS[name]):
            allowed = " and ".join(sorted(READERS[name])) or "the report"
            raise InputError(
                f"node `{node.name}` reads `{name}`, which is for {allowed} alone: labels would leak"
            )
        if read and "report" not in node.tags:
            for name in sorted({_plain(name) for name in node.outputs} - READERS.keys() - OPEN):
                hidden = f"reads `{min(read)}` and writes `{name}`, which any node may read"
                raise InputError(f"node `{node.name}` {hidden}: labels would leak")
    reported = {name for node in pipeline.nodes if "report" in node.tags for name in node.outputs}
    for node in pipeline.nodes:
        for name in sorted(reported & set(node.inputs)) if "report" not in node.tags else []:
            raise InputError(
                f"node `{node.name}` reads `{name}`, which is the report's: test labels would leak"
            )


def check_reads(reads: pd.DataFrame) -> pd.DataFrame:
    """Compare what was read in a run, and by whom, with what may be.

    Parameters
    ----------
    reads
        `node`, `dataset`; empty where another process's readings are not known, as under DVC.

    Returns
    -------
    One row: `check` (a sentence), `ok`, `found`.
    """
    allowed = [
        _may_read(_plain(node), _plain(dataset))
        for node, dataset in zip(reads["node"], reads["dataset"], strict=True)
    ]
    wrong = reads[[not known for known in allowed]]
    labels = reads["dataset"].isin(["recorded_labels", "test_labels"])
    found = f"{reads['node'][labels].nunique():,} nodes read them"
    if len(wrong):
        found = f"{len(wrong):,} are not so, the first is {wrong['dataset'].iloc[0]} by {wrong['node'].iloc[0]}"
    sentence = "Recorded labels were read for the oracle, test labels for the evaluation, and both to count classes."
    return pd.DataFrame([{"check": sentence, "ok": wrong.empty, "found": found}])


def _may_read(node: str, dataset: str) -> bool:
    return node in READERS[dataset] | FORMER_READERS.get(dataset, set())


def _plain(name: str) -> str:
    return name.rpartition(".")[2]
