"""Show why each image of a query was chosen: in words, and beside similar labelled images."""

import json
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pt4al.plots.style import DPI, INK

SHOWN = 24  # images of a query
SIDE = 0.75  # inches of a picture


def in_words(row: pd.Series) -> dict[str, str]:
    """Return why an image was chosen, by name and in words: a row of `pt4al.selection.explain`."""
    facts = {
        "ranking": f"place {row['place']:,} of {row['places']:,} in batch {row['batch']}",
        "pretext loss": f"{row['pretext_loss']:.3g}",
        "stands for": f"{row['stands_for']:,} unlabelled images",
    }
    return facts if pd.isna(row["score"]) else {"score": f"{row['score']:.3f}"} | facts


def explanation_sheet(
    reasons: pd.DataFrame,
    pictures: Callable[[list[str]], np.ndarray],
    labels: pd.Series,
    title: str = "",
) -> Figure:
    """Draw the first images of a query, each with its reasons and its nearest labelled neighbours.

    Parameters
    ----------
    pictures
        Returns images (N, C, H, W), uint8, of ids.
    labels
        By id; those of neighbours are written below them.
    """
    shown = reasons.head(SHOWN)
    columns = 2
    rows = math.ceil(len(shown) / columns)
    figure = Figure(figsize=(8, SIDE * 1.45 * rows + 0.4), dpi=DPI)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, color=INK)
    # One pair of axes for all pictures: making a pair takes as long as drawing ten of them.
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    top = 1 - 0.4 / figure.get_figheight()
    for number, row in enumerate(shown.itertuples()):
        near = json.loads(row.neighbours)
        left = (number % columns) / columns
        bottom = top * (1 - (number // columns + 1) / rows)
        box = (left, bottom, 1 / columns, top / rows)
        _draw(
            axes,
            box,
            pictures([row.id, *near]),
            [row.id, *[_name(labels.get(image)) for image in near]],
        )
        words = "\n".join(
            f"{name}: {value}" for name, value in in_words(pd.Series(row._asdict())).items()
        )
        figure.text(
            left + 0.105, bottom + 0.92 * top / rows, words, fontsize=5.5, va="top", color=INK
        )
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return figure


def _draw(axes: Axes, box: tuple[float, ...], images: np.ndarray, captions: list[str]) -> None:
    """An image at the left of a box, its neighbours small at the right."""
    left, bottom, width, height = box
    for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
        side = 0.095 if place == 0 else 0.06
        across = left + 0.005 if place == 0 else left + width - 0.065 * (4 - place)
        tall = side * axes.figure.get_figwidth() / axes.figure.get_figheight()
        foot = bottom + 0.95 * height - tall
        axes.imshow(
            image[0] if len(image) == 1 else image.transpose(1, 2, 0),
            extent=(across, across + side, foot, foot + tall),
            aspect="auto",
            cmap="gray",
            vmin=0,
            vmax=255,
        )
        short = caption if len(caption) < 18 else "…" + caption[-16:]
        # In points: a share of a small picture would lie on it.
        beneath = {"xytext": (0, -2), "textcoords": "offset points", "ha": "center", "va": "top"}
        axes.annotate(short, (across + side / 2, foot), fontsize=5, color=INK, **beneath)


def _name(label: object) -> str:
    return label if isinstance(label, str) else ""
