"""Nodes of pipeline `predict`."""

import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.images import sources, summary
from pt4al.images.building import build
from pt4al.images.collection import Collection
from pt4al.images.pool import ImagePool
from pt4al.masks import encode
from pt4al.pages.facts import PredictionsPage
from pt4al.pages.predictions import render_predictions_page
from pt4al.pipelines.predict.models import Finished, find
from pt4al.pipelines.predict.unlike import unlike
from pt4al.plots import contact_sheets
from pt4al.plots.style import pictures
from pt4al.project.configuration.parameters import Predict
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.folder import Runs
from pt4al.training import engine as training
from pt4al.training.onnx import export, require
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification, segmentation

logger = logging.getLogger(__name__)

SHOWN = 40  # pictures on a sheet
PARQUET = "predictions.parquet has the probability of each class, or the masks"
NAMED = 3  # pictures in a line of the terminal
CHECKED = 64  # pictures that an exported network is compared on


def build_pool(runs: Runs, parameters: dict) -> Callable[..., None]:
    """Return a function that decodes pictures as those were that the model has learnt from."""
    settings = parse(parameters)
    model = _find(runs, parameters)
    path = settings.predict.path
    if path is None:
        raise InputError(
            "`predict.path` is missing: say where the pictures are, predict.path=/some/folder"
        )
    if settings.predict.kind == "auto" and not Path(path).exists():
        raise InputError(f"{path}: no such file or folder (`predict.path`)")
    if settings.predict.onnx:
        require()  # before hours are spent on pictures
    collection = read_pictures(settings.predict)
    if not len(collection):
        raise InputError(f"{path}: holds no pictures")
    logger.info("%s", summary.listed(collection))
    warning = _warning(model, collection)
    if warning is not None:
        logger.warning("%s", warning)
    # Nothing is kept of another folder's pool, even if names, sizes and times are the same in both.
    stamps = f"{Path(path).resolve()} " + collection.index["stamp"]
    collection = replace(collection, index=collection.index.assign(stamp=stamps))
    # Bad pictures are listed, however many.
    recipe = model.parameters.pool.model_copy(update={"bad_share": 1.0})
    return partial(build, collection, recipe=recipe, frame=model.frame)


def read_pictures(asked: Predict) -> Collection:
    """Read the pictures to predict; errors name the settings of block `predict`."""
    try:
        return sources.read(asked.kind, asked.path)
    except InputError as error:
        message = str(error)
        for name in ("path", "kind"):
            message = message.replace(f"pool.source.{name}", f"predict.{name}")
        raise InputError(message) from None


def predict(runs: Runs, pool: ImagePool, parameters: dict) -> pd.DataFrame:
    """Return the model's prediction for each picture.

    Columns: `id`, `label`, `probability`, and each class's probability under its name; of a model
    that answers for each pixel `id` and `mask`, a PNG file of class numbers.
    """
    settings = parse(parameters)
    model = _find(runs, parameters)
    hardware = Hardware(settings.engine.device, settings.engine.precision)
    rows = np.arange(len(pool))
    if model.network.dense:
        masks = training.predict(
            model.network, segmentation.outputs, pool, hardware, rows, title="predict"
        )
        return pd.DataFrame(
            {"id": pool.ids, "mask": [encode(mask, compress_level=9) for mask in masks]}
        )
    likely = training.predict(
        model.network, classification.class_probabilities, pool, hardware, rows, title="predict"
    )
    best = likely.argmax(axis=1)
    answers = {
        "id": pool.ids,
        "label": np.array(model.classes)[best],
        "probability": likely.max(axis=1),
    }
    for number, name in enumerate(model.classes):
        answers[_column(name, answers)] = likely[:, number]
    return pd.DataFrame(answers)


def shorten(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return what a person reads: `id`, `label` and `probability`; of masks the ids alone."""
    kept = [name for name in ("id", "label", "probability") if name in predictions]
    return predictions[kept].round({"probability": 4})


def draw(pool: ImagePool, predictions: pd.DataFrame) -> dict[str, bytes]:
    """Return contact sheets of the most and the least certain predictions; nothing of masks."""
    if "mask" in predictions:
        return {}
    ordered = predictions.sort_values("probability", kind="stable")
    chosen = {
        "surest": ("highest", ordered.iloc[::-1].head(SHOWN)),
        "least_sure": ("lowest", ordered.head(SHOWN)),
    }
    return pictures(
        {
            name: partial(
                contact_sheets.contact_sheet,
                pool.gather(pool.rows(some["id"])).numpy(),
                [f"{row.label} {row.probability:.2f}\n{row.id}" for row in some.itertuples()],
                f"The {len(some):,} of {len(ordered):,} with the {which} probability",
            )
            for name, (which, some) in chosen.items()
        }
    )


def write_page(
    runs: Runs,
    pool: ImagePool,
    predictions: pd.DataFrame,
    pictures: dict[str, bytes],
    parameters: dict,
) -> str:
    """Return the predictions as one HTML page."""
    model = _find(runs, parameters)
    asked = parse(parameters).predict
    when = f"cycle {model.cycle}"
    if model.parameters.oracle.kind == "people":  # who know cycle 0 as round 1
        when = f"round {model.cycle + 1}"
    name = f"{model.parameters.run.name}, {when}"
    counts = {} if "mask" in predictions else predictions["label"].value_counts().to_dict()
    if counts:
        logger.info("least sure, to label next: %s", _least_sure(predictions))
    table = runs.root / "07_model_output" / model.parameters.run.name / "predictions.csv"
    warning = _warning(model, read_pictures(asked))
    return render_predictions_page(
        PredictionsPage(
            title=f"What the model of {name}, takes these pictures for",
            path=asked.path,
            notes=[
                f"The table of all of them is {table}; beside it {PARQUET}.",
                *filter(None, [warning]),
            ],
            images=len(predictions),
            counts=counts,
            problems=pool.problems.to_dict("records"),
            figures=pictures,
        )
    )


def export_onnx(runs: Runs, pool: ImagePool, parameters: dict) -> bytes:
    """Return the network as an ONNX file, checked on these pictures; empty if nobody wants one."""
    if not parse(parameters).predict.onnx:
        return b""
    model = _find(runs, parameters)
    images = pool.gather(np.arange(min(CHECKED, len(pool))))
    return export(model.network, images, model.classes, asdict(model.frame))


def _warning(model: Finished, collection: Collection) -> str | None:
    if model.pool is None:  # somebody has removed it
        return None
    return unlike(collection, model.pool.frame, model.parameters.pool)


def _least_sure(predictions: pd.DataFrame) -> str:
    """Return the pictures that the model is least sure of: `a.png (0.31), b.png (0.35)`."""
    rows = predictions.nsmallest(NAMED, "probability")
    return ", ".join(f"{row.id} ({row.probability:.2f})" for row in rows.itertuples())


def _find(runs: Runs, parameters: dict) -> Finished:
    settings = parse(parameters)
    return find(runs, parameters, settings.run.name, settings.predict.cycle)


def _column(name: str, taken: dict) -> str:
    """A class may be called `label`, and another `class label`."""
    while name in taken:
        name = f"class {name}"
    return name
