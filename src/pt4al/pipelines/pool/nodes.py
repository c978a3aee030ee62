"""Nodes of stage `pool`."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pt4al.annotation.formats.spreadsheet import read_answers
from pt4al.errors import InputError
from pt4al.features import backbones
from pt4al.features.beside import Beside
from pt4al.images import survey
from pt4al.images.building import build
from pt4al.images.collection import Collection
from pt4al.images.duplicates import find, label_pairs, linked
from pt4al.images.masks import read_masks
from pt4al.images.pool import ImagePool
from pt4al.images.ranges import narrow
from pt4al.labels.label_set import BEFORE, KNOWN, empty, extend
from pt4al.masks import encode
from pt4al.pages.facts import IntakePage
from pt4al.pages.intake import render_intake_page, warn_of_contradictions
from pt4al.pipelines.pool.listing import collect, summarise
from pt4al.plots import contact_sheets
from pt4al.plots import duplicates as duplicate_plots
from pt4al.plots.style import pictures
from pt4al.project.configuration.parameters import (
    Engine,
    Features,
    Main,
    Oracle,
    Parameters,
    Pool,
)
from pt4al.project.runs.folder import Runs
from pt4al.project.runs.pool_labels import take_known
from pt4al.training.networks import Network

Write = Callable[..., None]  # given a folder to write to, and perhaps an older version

# pictures that the intake report shows
SAMPLED = 24
PAIRS = 30


def build_pool(pool: Pool, engine: Engine) -> Write:
    """Return a function that writes the pool; its dataset calls it: memory may be too small."""
    return partial(build, collect(pool)["train"], recipe=pool, cluster=engine.workforce)


def build_pool_and_features(
    pool: Pool,
    network: Network,
    features: Features,
    engine: Engine,
    place: tuple[Path, Path | None],
) -> Write:
    """Return what writes the pool, and features for stage `features`: each file is read once.

    Workers of a cluster decode for the pool alone: pictures that a network takes are many times
    larger, and would all come here.
    """
    if not engine.workforce.alone:
        return build_pool(pool, engine)
    collection = collect(pool)["train"]
    (folder, earlier) = place
    backbone = backbones.restore(features.network, network)

    def write(written: Path, previous: Path | None) -> None:
        with Beside(collection, backbone, folder, engine.hardware, earlier) as beside:
            build(collection, written, pool, previous, watch=beside)

    return write


def build_test_pool(pool: ImagePool, settings: Pool, engine: Engine) -> Write:
    """Return what writes the test split's images, which look like the pool's."""
    return partial(
        build,
        collect(settings)["test"],
        recipe=settings,
        frame=pool.frame,
        cluster=engine.workforce,
    )


def label_pool(pool: ImagePool, settings: Pool, main: Main) -> tuple[pd.DataFrame, list[str]]:
    """Return the oracle's labels and the names of the classes."""
    collection = collect(settings)["train"]
    return _labels(collection, pool, settings, main), collection.classes


def label_test_pool(test_pool: ImagePool, settings: Pool, main: Main) -> pd.DataFrame:
    """Return the test split's labels."""
    return _labels(collect(settings)["test"], test_pool, settings, main)


def inspect(pool: ImagePool, test_pool: ImagePool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pictures that could not be decoded, and those that occur more than once."""
    problems = pd.concat(
        [part.problems.assign(split=split) for split, part in _parts(pool, test_pool)]
    )
    prints = pd.concat(
        [part.fingerprints.assign(split=split) for split, part in _parts(pool, test_pool)]
    )
    prints = prints.reset_index(drop=True)
    return problems.reset_index(drop=True), find(prints, partial(_pixels, pool, test_pool))


def report_intake(
    pool: ImagePool,
    test_pool: ImagePool,
    recorded_labels: pd.DataFrame,
    test_labels: pd.DataFrame,
    problems: pd.DataFrame,
    duplicates: pd.DataFrame,
    settings: Pool,
) -> tuple[str, dict[str, Any]]:
    """Return the intake report as an HTML page, and what was read in words.

    The words are `sentence`, `warnings` and `found`.
    """
    counts = [_count("pool", pool, recorded_labels), _count("test", test_pool, test_labels)]
    labelled = label_pairs(duplicates, pd.concat([recorded_labels, test_labels]))
    labelled = labelled.assign(linked=linked(labelled, _places(pool, test_pool, duplicates)))
    told = summarise(settings)
    page = render_intake_page(
        IntakePage(
            title="What the source holds",
            read=told.sentence,
            warnings=told.warnings,
            counts=counts,
            frame=asdict(pool.frame),
            size=survey.explain(collect(settings)["train"], settings.size),
            problems=problems.rename(columns={"source": "file"}).to_dict("records"),
            duplicates=labelled.to_dict("records"),
            narrow=narrow(pool).to_dict("records"),
            figures=pictures(_drawings(pool, test_pool, duplicates)),
        )
    )
    found = warn_of_contradictions(labelled.to_dict("records"), settings.source.path)
    return page, {"sentence": told.sentence, "warnings": told.warnings, "found": found}


def start(intake_page: str) -> pd.DataFrame:
    """Return the empty label set before cycle 0.

    Nothing is asked before the intake report is there to be read.
    """
    return empty()


def name_classes(classes: list[str], oracle: Oracle) -> list[str]:
    """Return the names of the classes that people choose from: theirs, or else the source's."""
    return oracle.classes or classes


def start_people(
    intake_page: str, pool: ImagePool, classes: list[str], oracle: Oracle
) -> pd.DataFrame:
    """Return the label set before cycle 0: the labels that people have already."""
    if oracle.known_labels is None:
        return empty()
    answers, problems = read_answers(Path(oracle.known_labels), pool.ids, classes)
    if len(problems):
        first = problems.iloc[0]
        raise InputError(
            f"{oracle.known_labels} (`oracle.known_labels`): {len(problems)} rows can't be "
            "used, the first is row "
            f"{first['row']}: {first['problem']}"
        )
    labelled = pd.DataFrame(
        [(answer.id, answer.label) for answer in answers if answer.label], columns=["id", "label"]
    )
    return extend(empty(), labelled, BEFORE, KNOWN)


def gather_known(
    pool: ImagePool, classes: list[str], runs: Runs, settings: Parameters
) -> pd.DataFrame:
    """Return the labels that people gave in other runs on this pool, with where they come from."""
    return take_known(runs, settings, pool.ids, classes)


def start_from_known(intake_page: str, known_labels: pd.DataFrame) -> pd.DataFrame:
    """Return the label set before cycle 0: the labels of other runs.

    Whatever asked for them there, they are known here: no strategy of this run chose them, and
    none of them is a control image of it.
    """
    return extend(empty(), known_labels[["id", "label"]], BEFORE, KNOWN)


def _labels(collection: Collection, pool: ImagePool, settings: Pool, main: Main) -> pd.DataFrame:
    if main.task != "segmentation":
        labels = collection.labels
        return labels[pool.find(labels["id"]) >= 0].reset_index(drop=True)
    if collection.masks is None:  # people will draw them
        return pd.DataFrame(columns=["id", "label"])
    masks = read_masks(collection, pool.ids, pool.frame, settings.ignore)
    found = [(name, encode(mask, compress_level=9)) for name, mask in masks]
    return pd.DataFrame(found, columns=["id", "label"])


def _count(split: str, images: ImagePool, labels: pd.DataFrame) -> dict[str, Any]:
    names = labels["label"][[isinstance(label, str) for label in labels["label"]]]
    return {
        "split": split,
        "total": len(images),
        "classes": names.value_counts().sort_index().to_dict(),
    }


def _drawings(
    pool: ImagePool, test_pool: ImagePool, duplicates: pd.DataFrame
) -> dict[str, Callable[[], bytes]]:
    rows = np.unique(np.linspace(0, len(pool) - 1, SAMPLED).astype(int))
    sample = partial(
        contact_sheets.contact_sheet,
        pool.gather(rows).numpy(),
        list(pool.ids.iloc[rows]),
    )
    drawn = {"sample": sample}
    shown = duplicates.head(PAIRS)
    if len(shown):
        both = pd.Series(np.ravel([[row.id, row.other] for row in shown.itertuples()]), dtype="str")
        rows = pool.find(both)
        rows = np.where(rows < 0, len(pool) + test_pool.find(both), rows)
        drawn["duplicates"] = partial(
            duplicate_plots.pairs, _pixels(pool, test_pool, rows), shown.to_dict("records")
        )
    return drawn


def _places(pool: ImagePool, test_pool: ImagePool, duplicates: pd.DataFrame) -> dict[str, str]:
    """The files of pictures that occur more than once, by id."""
    ids = pd.concat([duplicates["id"], duplicates["other"]])
    places = {}
    for _, part in _parts(pool, test_pool):
        rows = part.find(ids)
        found = part.index.iloc[rows[rows >= 0]]
        places |= dict(zip(found["id"], found["source"], strict=True))
    return places


def _parts(pool: ImagePool, test_pool: ImagePool) -> list[tuple[str, ImagePool]]:
    return [("pool", pool), ("test", test_pool)]


def _pixels(pool: ImagePool, test_pool: ImagePool, rows: np.ndarray) -> np.ndarray:
    """Images by rows of the pool and, after them, of the test split."""
    images = np.empty((len(rows), *pool.shape), np.uint8)
    inside = rows < len(pool)
    images[inside] = pool.gather(rows[inside])
    images[~inside] = test_pool.gather(rows[~inside] - len(pool))
    return images
