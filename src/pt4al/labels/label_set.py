"""The label set: each labelled id with its label, its cycle and why it was chosen; it only grows.

A label is the name of a class, or a mask: the bytes of a PNG file whose values are numbers of
classes.
"""

import numpy as np
import pandas as pd

from pt4al.errors import InputError

# Column `why` of a control slice, and of labels older than the first query.
CONTROL = "control"
KNOWN = "known"
RANDOM = "random"  # the start rule
BEFORE = -1  # cycle of labels older than the first query

COLUMNS = {"id": "str", "label": "str", "cycle": "int64", "why": "str"}


def empty() -> pd.DataFrame:
    """Return the label set before anything is labelled."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in COLUMNS.items()})


def extend(
    label_set: pd.DataFrame, answers: pd.DataFrame, cycle: int, why: str | np.ndarray
) -> pd.DataFrame:
    """Return the label set with a cycle's answers at its end.

    Parameters
    ----------
    answers
        `id`, `label`.
    why
        What chose the images, or each one: a start rule, a measure, `control`.

    Raises
    ------
    InputError
        If an id has a label already, or is twice in the answers.
    """
    new = answers[["id", "label"]].assign(cycle=cycle, why=why)
    grown = pd.concat([label_set, new], ignore_index=True)
    twice = grown["id"][grown["id"].duplicated()]
    if len(twice):
        raise InputError(
            f"cycle {cycle}: id {twice.iloc[0]!r} would be labelled twice ({len(twice)} such ids)"
        )
    dtypes = dict(COLUMNS)
    if _masks(grown):
        del dtypes["label"]
    return grown.astype(dtypes)


def correct(label_set: pd.DataFrame, corrections: pd.DataFrame) -> pd.DataFrame:
    """Return the label set with new labels (`id`, `label`) for some of its images."""
    new = label_set["id"].map(corrections.set_index("id")["label"])
    return label_set.assign(label=new.where(new.notna(), label_set["label"]))


def trained_on(label_set: pd.DataFrame, cycle: int, control: bool) -> pd.DataFrame:
    """Return what a cycle's model is trained on.

    Drops the cycle's own control slice, which measures the model, and earlier slices unless
    `control`.
    """
    dropped = label_set["why"] == CONTROL
    if control:
        dropped &= label_set["cycle"] == cycle
    return label_set[~dropped].reset_index(drop=True)


def measured_on(label_set: pd.DataFrame, cycle: int, control: bool) -> pd.DataFrame:
    """Return the control images that a cycle's model was not trained on."""
    slices = label_set[label_set["why"] == CONTROL]
    if control:
        slices = slices[slices["cycle"] == cycle]
    return slices.reset_index(drop=True)


def drawn_at_random(label_set: pd.DataFrame, first_query: bool) -> np.ndarray:
    """Return which labels are those of a simple random sample of the pool, (labels,), bool.

    Control slices; and the first query, if it is one (`first_query`: it was drawn from the whole
    pool) and its start rule was `random`. Later queries lack what was asked before.
    """
    drawn = label_set["why"] == CONTROL
    if first_query:
        drawn |= (label_set["why"] == RANDOM) & (label_set["cycle"] == 0)
    return drawn.to_numpy()


def check(label_set: pd.DataFrame, classes: list[str]) -> None:
    """Raise InputError if a label is no class; masks are checked where they are read."""
    if _masks(label_set):
        return
    strange = label_set[~label_set["label"].isin(classes)]
    if len(strange):
        first = strange.iloc[0]
        raise InputError(
            f"id {first.id!r} has label {first.label!r}, "
            f"which is none of the {len(classes)} classes"
        )


def _masks(label_set: pd.DataFrame) -> bool:
    return len(label_set) > 0 and isinstance(label_set["label"].iloc[0], bytes)
