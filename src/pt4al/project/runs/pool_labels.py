"""The labels that people have given in any run on a pool, for a new run to start from."""

import logging
from typing import Any

import pandas as pd

from pt4al.annotation.merging import COLUMNS, Merged, merge
from pt4al.errors import InputError, counted
from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.folder import RunFolder, Runs, spelt
from pt4al.project.runs.merged import labels_of, without_copies
from pt4al.project.runs.run_labels import RunLabels

logger = logging.getLogger(__name__)

SETTING = "`oracle.known_labels: pool`"


def pool_labels(runs: Runs, parameters: Parameters) -> Merged:
    """Return the labels of all other runs that people label on this run's pool.

    A pool is the same where all of block `pool` and the task are. Runs that were set aside count
    too: people's answers are kept.
    """
    own = parameters.run.name
    tables = [
        labels_of(RunLabels(folder))
        for folder in runs.labelled_by_people()
        if folder.name != own and same_pool(folder, parameters)
    ]
    nothing = pd.DataFrame(columns=COLUMNS, dtype="str")
    return merge(without_copies(tables or [nothing]))


def same_pool(folder: RunFolder, parameters: Parameters) -> bool:
    """Return whether a run has the pool that these settings mean."""
    if not folder.configuration_file.exists():
        return False
    now = flat(parameters.pool.model_dump(mode="json"), "pool.")
    now["main.task"] = parameters.main.task
    then = _of_pool(spelt(folder.configuration()))
    # A setting that an older run doesn't know is as it is today.
    return all(name in now and now[name] == value for name, value in then.items())


def take_known(
    runs: Runs, parameters: Parameters, ids: pd.Series, classes: list[str]
) -> pd.DataFrame:
    """Return the labels that a new run knows from the start: `id`, `label`, and where they are from.

    Contradictions, and images that are not in the pool any more, are warned of.

    Parameters
    ----------
    ids
        The pool's images.
    classes
        The new run's.

    Raises
    ------
    InputError
        If a label is of a class that the new run lacks.
    """
    merged = pool_labels(runs, parameters)
    labels = merged.labels
    inside = labels["id"].isin(ids)
    gone = labels.loc[~inside, "id"]
    if len(gone):
        logger.warning(
            "%s: left out, for not being in the pool any more: %s, the first is %r",
            SETTING,
            counted(len(gone), "labelled image"),
            gone.iloc[0],
        )
    labels = labels[inside].reset_index(drop=True)
    if parameters.main.task == "classification":
        _check_classes(labels, classes)
    disputed = merged.contradictions
    if len(disputed):
        logger.warning(
            "%s: %s with labels that contradict each other; the newest answer counts:\n%s",
            SETTING,
            counted(len(disputed), "image"),
            "\n".join(f"  {line}" for line in merged.sentences()),
        )
    return labels


def _check_classes(labels: pd.DataFrame, classes: list[str]) -> None:
    strange = labels[~labels["label"].isin(classes)]
    if strange.empty:
        return
    names = sorted(set(strange["label"]))
    shown = ", ".join(map(repr, names[:20]))
    runs = ", ".join(sorted(set(strange["run"])))
    raise InputError(
        f"{SETTING}: {counted(len(strange), 'label')} of {runs} are of classes that this run "
        f"lacks ({shown}): add them to `oracle.classes`, at the end"
    )


def _of_pool(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in settings.items()
        if name.startswith("pool.") or name == "main.task"
    }
