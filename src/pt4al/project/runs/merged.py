"""Labels of several runs in one table, and what a person should know before using it."""

import pandas as pd

from pt4al.annotation.merging import COLUMNS, Merged, merge
from pt4al.errors import InputError, counted
from pt4al.labels.label_set import KNOWN
from pt4al.project.runs.run_labels import RunLabels

NEWEST = "newest"
REFUSE = "refuse"
RESOLUTIONS = (NEWEST, REFUSE)  # of contradictions
NAMED = 5  # ids that a sentence names


def labels_of(run: RunLabels) -> pd.DataFrame:
    """Return a run's labels as `merging.merge` takes them."""
    return run.table.assign(run=run.folder.name)[COLUMNS]


def without_copies(tables: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return tables without the answers that a run had from another one that is among them.

    The other run has the answer itself, or a newer one in its place.
    """
    every = pd.concat(tables)
    original = set(every.loc[every["why"] != KNOWN, "id"])
    kept = []
    for table in tables:
        copied = (table["why"] == KNOWN) & (table["answered"] != "") & table["id"].isin(original)
        kept.append(table[~copied])
    return kept


def merge_labels(runs: list[RunLabels]) -> tuple[Merged, list[str]]:
    """Return the labels of runs together, and sentences on where the runs differ.

    Sentences: images that have different labels; classes that one run has labels of and another
    lacks; images that are not in the first run's pool, which stay in the table.

    Raises
    ------
    InputError
        If a run's labels are masks.
    """
    for run in runs:
        if run.masks:
            raise InputError(
                f"run {run.folder.name!r} has masks, which no table holds: export each run to a "
                "folder of masks"
            )
    merged = merge(without_copies([labels_of(run) for run in runs]))
    sentences = []
    if len(merged.contradictions):
        number = counted(len(merged.contradictions), "image")
        sentences = [f"{number} with different labels:"]
        sentences += [f"  {line}" for line in merged.sentences()]
    return merged, [*sentences, *_classes(runs), *_outside(runs)]


def _classes(runs: list[RunLabels]) -> list[str]:
    """Name the classes that a run has labels of, and another doesn't know."""
    known = {run.folder.name: set(run.classes()) for run in runs}
    sentences = []
    for run in runs:
        used = set(run.table["label"])
        for other, classes in known.items():
            lacking = sorted(used - classes)
            if lacking:
                names = ", ".join(map(repr, lacking))
                sentences.append(
                    f"run {run.folder.name} has labels of classes that {other} has not: {names}"
                )
    return sentences


def _outside(runs: list[RunLabels]) -> list[str]:
    """Name the images that are not in the pool of the first run."""
    pool = runs[0].population
    sentences = []
    for run in runs[1:]:
        outside = run.table["id"][~run.table["id"].isin(pool)]
        if len(outside):
            first = ", ".join(map(repr, outside.head(NAMED)))
            more = "" if len(outside) <= NAMED else " ..."
            sentences.append(
                f"not in the pool of {runs[0].folder.name}, {counted(len(outside), 'image')} of run "
                f"{run.folder.name}: {first}{more}"
            )
    return sentences
