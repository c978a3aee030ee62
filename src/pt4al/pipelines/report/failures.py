"""Node of stage `report` that looks at what the last model gets wrong."""

from typing import Any

import pandas as pd

from pt4al.images.pool import ImagePool
from pt4al.images.viewing import pixels_png
from pt4al.pipelines.report.history import RunHistory
from pt4al.statistics import failures


def find_failures(
    history: RunHistory, test_pool: ImagePool, predictions: pd.DataFrame
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return where the last model fails, and pictures of it.

    The first is empty without predictions, as of a run that an older version finished; else it has
    `measured` (images, or None), `classes`, `pairs`, `wrong` (`id`, `label`, `predicted`,
    `probability`, `picture`) and `advice`. `predictions`: see `Task.outcomes`.
    """
    if predictions.empty:
        return {}, {}
    images = test_pool
    if "images" in history.learning_curve:  # control images, which are the pool's
        images = history.pool
    classes = failures.by_class(predictions)
    wrong = failures.most_wrong(predictions).to_dict("records")
    pictures = {}
    for number, row in enumerate(wrong):
        row["picture"] = f"wrong_{number:02}"
        row["probability"] = float(row["probability"])
        pictures[row["picture"]] = _picture(images, row["id"])
    advice = None
    if not history.task.dense:
        advice = failures.advise(classes, history.labels.value_counts())
    found = {
        "measured": len(predictions) if "id" in predictions else None,
        "classes": classes,
        "pairs": failures.confused(predictions),
        "wrong": wrong,
        "advice": advice,
    }
    return found, pictures


def _picture(images: ImagePool, name: str) -> bytes:
    return pixels_png(images.gather(images.rows(pd.Series([name]))).numpy()[0])
