"""Draw heat maps: of class and cycle (share among the labels, IoU), and of rankings (agreement)."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pt4al.plots.cells import draw_cells, shade
from pt4al.plots.palette import INK
from pt4al.plots.style import nothing, plain

LINE = 50  # letters, about, fit beside each other


def class_balance(counts: pd.DataFrame, unit: str = "images", when: str = "cycle") -> Figure:
    """Draw the share of each class among each cycle's new labels.

    Parameters
    ----------
    counts
        Labels of the class (row, in the order drawn) in the cycle (column).
    unit
        What was counted: `images` or `pixels`. The cells say how many images, but which share of
        the pixels.
    when
        What the columns are.
    """
    if not counts.to_numpy().any():
        return nothing(plain(3, "", "")[0], "nothing labelled yet")
    shares = 100 * counts / counts.sum().clip(lower=1)
    if unit == "images":
        texts = counts.map("{:,}".format)
        what = f"images; the darker, the more of the {when}'s"
    else:
        texts = shares.map(_percent)
        what = f"share of the {when}'s {unit} (%)"
    return _heat_map(shares, texts, when, what)


def iou_by_class(metrics: list[dict[str, float]]) -> Figure:
    """Draw the intersection over union of each class after each cycle.

    Parameters
    ----------
    metrics
        One dict a cycle: `labels`, and `iou_<class>` from 0 to 1; a class without one, or with NaN
        or None for it, has a dash.
    """
    names = [f"{cycle}\n{row['labels']:,}" for cycle, row in enumerate(metrics)]
    values = 100 * pd.DataFrame(metrics, index=names).filter(regex="^iou_").astype(float).T
    if values.empty:
        return nothing(plain(3, "", "")[0], "nothing evaluated yet")
    values.index = values.index.str.removeprefix("iou_")
    return _heat_map(
        values, values.map(_percent), "cycle, and images labelled", "IoU (%)", darkest=100
    )


def ranking_agreement(pairs: pd.DataFrame) -> Figure:
    """Draw the rank correlation of each two rankings; those below 0 are as light as 0.

    Parameters
    ----------
    pairs
        `one`, `other`, `correlation`: each pair once, at least one.
    """
    names = list(pd.unique(pairs[["one", "other"]].to_numpy().ravel()))
    matrix = np.eye(len(names))
    for one, other, correlation in pairs[["one", "other", "correlation"]].itertuples(index=False):
        row = names.index(one)
        column = names.index(other)
        matrix[row, column] = matrix[column, row] = correlation
    values = pd.DataFrame(
        matrix, [f"{number}: {name}" for number, name in enumerate(names)], range(len(names))
    )
    texts = values.map(lambda value: "–" if math.isnan(value) else f"{value:.2f}")
    return _heat_map(values, texts, "the same, by number", "rank correlation", darkest=1)


def _percent(share: float) -> str:
    if math.isnan(share):
        return "–"
    if share == 0:
        return "0"
    return "<0.1" if share < 0.05 else f"{share:.1f}"


def _heat_map(
    values: pd.DataFrame, texts: pd.DataFrame, across: str, what: str, darkest: float | None = None
) -> Figure:
    """Draw values from 0 on by class (row) and cycle (column), with texts where there is room."""
    rows, columns = values.shape
    few = rows <= 30
    figure, axes = plain(max(2, 1 + rows * (0.27 if few else 0.13)), across, "")
    written = texts.to_numpy(str)
    told = [
        [f"{name}, {column}: {text}" for column, text in zip(values.columns, row, strict=True)]
        for name, row in zip(values.index, written, strict=True)
    ]
    numbers = few and columns * (texts.map(len).to_numpy().max() + 1) <= LINE
    shown = written if numbers else np.full(values.shape, "")
    top = darkest or max(np.nanmax(values.to_numpy(float)), 1e-9)
    draw_cells(axes, shade(values.to_numpy(float) / top), shown.tolist(), told)
    axes.set_title(what, loc="left", fontsize=10, color=INK)
    if not numbers:
        axes.set_title(f"{what}: darkest {top:.3g}", loc="left", fontsize=10, color=INK)
    axes.set_yticks(range(rows), values.index, fontsize=10 if few else 6)
    names = values.columns.astype(str)
    longest = max(len(line) for name in names for line in name.splitlines())
    every = math.ceil(columns * (longest + 1) / LINE)
    axes.set_xticks(range(0, columns, every), names[::every])
    return figure
