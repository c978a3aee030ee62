"""Say where a model fails: by class, by pairs of classes, and on which images."""

from typing import Any

import pandas as pd

from pt4al.errors import counted
from pt4al.statistics import intervals

WORST = 10  # classes
PAIRS = 10
WRONG = 20  # images
FEW = 5  # images of a class that say something about it
NAMED = 3  # classes in a sentence


def by_class(outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the classes that occur, the worst first.

    Parameters
    ----------
    outcomes
        `label` (the truth) and `predicted`: one row an image, or with `pixels` one row a pair.

    Returns
    -------
    `label`, `count` (images, or pixels), `value` (the share that is right, or the IoU), and of
    images its 95 % interval, `low` and `high`.
    """
    rows = _of_pixels(outcomes) if "pixels" in outcomes else _of_images(outcomes)
    return sorted(rows, key=lambda row: (row["value"], -row["count"]))


def confused(outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the most confused pairs: `label`, `predicted`, `count`, and its `share` of the label's."""
    weights = _weights(outcomes)
    totals = weights.groupby(outcomes["label"]).sum()
    wrong = outcomes["label"] != outcomes["predicted"]
    pairs = weights[wrong].groupby([outcomes["label"], outcomes["predicted"]]).sum()
    largest = pairs.sort_values(ascending=False, kind="stable").head(PAIRS)
    return [
        {"label": label, "predicted": predicted, "count": int(n), "share": float(n / totals[label])}
        for (label, predicted), n in largest.items()
    ]


def most_wrong(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the images that are wrong with the highest probability: those that a model is sure of."""
    if "probability" not in outcomes:
        return outcomes.head(0)
    wrong = outcomes[outcomes["label"] != outcomes["predicted"]]
    return wrong.sort_values("probability", ascending=False, kind="stable").head(WRONG)


def advise(classes: list[dict[str, Any]], labels: pd.Series) -> str:
    """Say what to label next, as far as classes and their labels can say.

    Parameters
    ----------
    classes
        See `by_class`.
    labels
        Number of labels by class; a class without any may be missing.
    """
    known = [row for row in classes if row["count"] >= FEW]
    if len(known) < 2:
        return "Too few images of each class were measured to say which ones need labels."
    middle = sorted(row["value"] for row in known)[len(known) // 2]
    worst = [row for row in known if row["value"] < middle]
    if not worst:
        return "No class is worse than the others: more labels of any kind."
    average = labels.sum() / len(classes)
    few = [row for row in worst if labels.get(row["label"], 0) < average]
    if few:
        named = ", ".join(_described(row, labels) for row in few[:NAMED])
        return (
            f"More labels of {named}: worse than half of the classes, and with fewer labels than "
            "the average of all."
        )
    named = ", ".join(_described(row, labels) for row in worst[:NAMED])
    return (
        f"The worst classes have labels enough for their share: {named}. They may be hard to tell "
        "from others: the pairs show from which."
    )


def _of_images(outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    right = outcomes["label"] == outcomes["predicted"]
    rows = []
    for label, own in right.groupby(outcomes["label"]):
        value = {"label": label, "count": len(own), "value": float(own.mean())}
        rows.append(value | intervals.share(int(own.sum()), len(own)))
    return rows


def _of_pixels(outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    pixels = outcomes["pixels"]
    rows = []
    for label in sorted(outcomes["label"].unique()):
        is_label = outcomes["label"] == label
        is_predicted = outcomes["predicted"] == label
        union = pixels[is_label | is_predicted].sum()
        hits = pixels[is_label & is_predicted].sum()
        count = int(pixels[is_label].sum())
        rows.append({"label": label, "count": count, "value": float(hits / union)})
    return rows


def _weights(outcomes: pd.DataFrame) -> pd.Series:
    if "pixels" in outcomes:
        return outcomes["pixels"]
    return pd.Series(1, index=outcomes.index)


def _described(row: dict[str, Any], labels: pd.Series) -> str:
    count = counted(int(labels.get(row["label"], 0)), "label")
    return f"{row['label']} ({100 * row['value']:.0f} % with {count})"
