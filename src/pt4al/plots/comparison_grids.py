"""Draw a comparison as grids of numbers: who beats whom, and the labels the reference needs."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pt4al.plots.style import INK, plain

AVERAGE = "average"


def penalty_matrix(matrix: pd.DataFrame) -> Figure:
    """Draw the pairwise penalty matrix, and under it each column's mean: less is better.

    Parameters
    ----------
    matrix
        See `pt4al.statistics.paired.penalties`.
    """
    arms = len(matrix)
    values = np.vstack([matrix, matrix.sum() / max(arms - 1, 1)])
    figure, axes = plain(1.8 + 0.36 * (arms + 1), "is beaten", "beats")
    texts = [
        [f"{100 * value:.0f}" if row != column else "–" for column, value in enumerate(line)]
        for row, line in enumerate(values)
    ]
    _grid(axes, 100 * values, texts, [*matrix.index, AVERAGE], list(matrix), "Blues", (0, 100))
    axes.axhline(arms - 0.5, color=INK, linewidth=1.5)
    return figure


def label_savings(savings: pd.DataFrame, reference: str) -> Figure:
    """Draw the labels that the reference needs to be as good as an arm (row) at a budget (column).

    Parameters
    ----------
    savings
        See `pt4al.statistics.label_savings.savings`.
    reference
        The arm that is left out, since it needs its own labels.
    """
    rows = savings[savings["arm"] != reference]
    ends = savings["labels"].min(), savings["labels"].max()
    needed = rows.pivot_table(index="arm", columns="labels", values="needed", sort=False)
    figure, axes = plain(1.4 + 0.5 * max(len(needed), 1), "labels the arm had", "")
    texts = rows.assign(text=[_cell(row, ends) for row in rows.to_dict("records")])
    texts = [list(group["text"]) for _, group in texts.groupby("arm", sort=False)]
    # Blue: the reference needs more labels, up to twice as many; red: it needs fewer.
    ratio = np.log2(needed.clip(upper=ends[1]) / needed.columns.to_numpy(float))
    _grid(
        axes,
        ratio.to_numpy(),
        texts,
        list(needed.index),
        [f"{n:,}" for n in needed.columns],
        "RdBu",
        (-1, 1),
    )
    return figure


def needed_text(labels: float, ends: tuple[int, int]) -> str:
    """Return a number of labels for people; `≤ 100` and `> 1,000` at the reference's ends."""
    if math.isinf(labels):
        return f"> {ends[1]:,}"
    return f"≤ {ends[0]:,}" if labels <= ends[0] else f"{labels:,.0f}"


def _cell(row: dict, ends: tuple[int, int]) -> str:
    texts = {name: needed_text(row[name], ends) for name in ("needed", "low", "high")}
    between = f"\n{texts['low']} … {texts['high']}" if texts["low"] != texts["high"] else ""
    return texts["needed"] + between


def _grid(
    axes: Axes,
    values: np.ndarray,
    texts: list[list[str]],
    rows: list[str],
    columns: list[str],
    palette: str,
    limits: tuple[float, float],
) -> None:
    shown = axes.imshow(
        values, cmap=palette, vmin=limits[0], vmax=limits[1], aspect="auto", interpolation="nearest"
    )
    axes.set_yticks(range(len(rows)), rows)
    tilt = {"rotation": 35, "ha": "right"} if sum(map(len, columns)) > 60 else {}
    axes.set_xticks(range(len(columns)), columns, **tilt)
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    for row, column in np.ndindex(values.shape):
        brightness = np.dot(shown.to_rgba(values[row, column])[:3], [0.299, 0.587, 0.114])
        colour = "white" if brightness < 0.5 else INK
        axes.text(
            column, row, texts[row][column], ha="center", va="center", color=colour, fontsize=8
        )
