"""Draw a comparison as grids of numbers: who beats whom, and the labels the reference needs."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pt4al.plots.cells import draw_cells, shade
from pt4al.plots.palette import ALARM, INK, MAIN
from pt4al.plots.style import plain

AVERAGE = "average"
LINE = 86  # letters of a cell, about, that fit beside each other in a whole figure
FAINTLY = 0.2  # how strong a colour is that the interval does not bear out


def penalty_matrix(matrix: pd.DataFrame) -> Figure:
    """Draw the pairwise penalty matrix, and under it each column's mean: less is better.

    Parameters
    ----------
    matrix
        See `pt4al.statistics.paired.penalties`.
    """
    arms = len(matrix)
    values = np.vstack([matrix, matrix.sum() / max(arms - 1, 1)])
    names = [*matrix.index, AVERAGE]
    figure, axes = plain(1.5 + 0.27 * len(names), "is beaten", "beats")
    texts = [
        [f"{100 * value:.0f}" if row != column else "–" for column, value in enumerate(line)]
        for row, line in enumerate(values)
    ]
    told = [
        [
            f"{name} beats {other}: {text} % of cycles"
            for other, text in zip(matrix, row, strict=True)
        ]
        for name, row in zip(matrix.index, texts, strict=False)
    ]
    told.append(
        [f"{name} is beaten: {text} %" for name, text in zip(matrix, texts[-1], strict=True)]
    )
    draw_cells(axes, shade(values), texts, told)
    _name(axes, names, list(matrix))
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
    figure, axes = plain(1.1 + 0.42 * max(len(needed), 1), "labels the arm had", "")
    cells = rows.to_dict("records")
    wide = len(needed)
    # A cell has an interval where there is room; the pointer is told it anyway.
    room = (LINE - 1.3 * max(map(len, needed.index), default=0)) / len(needed.columns)
    texts = [_cell(row, ends) for row in cells]
    if max(len(line) for text in texts for line in text.splitlines()) > room:
        texts = [text.splitlines()[0] for text in texts]
    texts = np.array(texts).reshape(wide, -1)
    told = np.array([_told(row, ends, reference) for row in cells]).reshape(wide, -1)
    colours = np.array([_colour(row) for row in cells]).reshape(wide, -1, 4)
    draw_cells(axes, colours, texts.tolist(), told.tolist(), fontsize=8)
    _name(axes, list(needed.index), [f"{n:,}" for n in needed.columns])
    return figure


def needed_text(labels: float, ends: tuple[int, int]) -> str:
    """Return a number of labels for people; `≤ 100` and `> 1,000` at the reference's ends."""
    if math.isinf(labels):
        return f"> {ends[1]:,}"
    return f"≤ {ends[0]:,}" if labels <= ends[0] else f"{labels:,.0f}"


def _texts(row: dict, ends: tuple[int, int]) -> dict[str, str]:
    return {name: needed_text(row[name], ends) for name in ("needed", "low", "high")}


def _cell(row: dict, ends: tuple[int, int]) -> str:
    texts = _texts(row, ends)
    between = f"\n{texts['low']} … {texts['high']}" if texts["low"] != texts["high"] else ""
    return texts["needed"] + between


def _told(row: dict, ends: tuple[int, int], reference: str) -> str:
    texts = _texts(row, ends)
    return (
        f"{row['arm']} with {row['labels']:,} labels: {reference} needs {texts['needed']}, 95 % "
        f"interval {texts['low']} to {texts['high']}"
    )


def _colour(row: dict) -> np.ndarray:
    """Return a cell's colour: blue where the reference needs more labels, up to twice as many."""
    ratio = math.log2(min(row["needed"] / row["labels"], 2))
    strength = min(abs(ratio), 1)
    if row["low"] <= row["labels"] <= row["high"]:
        strength = FAINTLY * strength
    return shade(np.float64(strength), MAIN if ratio > 0 else ALARM)


def _name(axes: Axes, rows: list[str], columns: list[str]) -> None:
    axes.set_yticks(range(len(rows)), rows)
    longest = max(map(len, columns), default=0)
    tilt = {"rotation": 35, "ha": "right"} if longest * len(columns) > 40 else {}
    axes.set_xticks(range(len(columns)), columns, **tilt)
