"""Draw what a run did: its curve, its queries, its ranking, its audit and its time."""

import io
import math
from itertools import cycle
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

# A power of two: a width in pixels survives being expressed in inches, so contact sheets stay crisp.
DPI = 128
WIDTH = 8.0  # inches
INK, FAINT = "#222222", "#d9d9d9"
# Okabe and Ito 2008: distinguishable with any colour vision.
MAIN, OTHERS = "#0072B2", ["#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#777777"]
PAPER_CORRELATION = 0.79  # PT4AL, rotation on CIFAR-10
HALO = [withStroke(linewidth=3, foreground="white")]


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def duration(seconds: float) -> str:
    """Return a time for people: `0.42 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60} min"


def learning_curve(curves: dict[str, pd.DataFrame]) -> Figure:
    """Draw accuracy over labels; the first curve is the run reported on, the others stand behind it.

    Parameters
    ----------
    curves
        At least one; by name, one row a cycle: `labels`, ascending, and `accuracy` from 0 to 1.
    """
    figure, axes = _plain(4.5, "labels", "accuracy (%)")
    (name, this), *others = curves.items()
    if this.empty:
        return _nothing(figure, "nothing evaluated yet")
    axes.plot(this["labels"], this["accuracy"], "o-", color=MAIN, linewidth=2.6, label=name, zorder=5)
    for (other, curve), colour, dashes in zip(others, cycle(OTHERS), cycle(["-", "--", "-.", ":"]), strict=False):
        axes.plot(curve["labels"], curve["accuracy"], dashes, color=colour, linewidth=1.4, label=other)
    _annotate(axes, this, [curve for _, curve in others])
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.margins(x=0.06, y=0.12)
    if others:
        axes.legend(frameon=False, loc="best")
    return figure


def _annotate(axes: Axes, this: pd.DataFrame, others: list[pd.DataFrame]) -> None:
    """Write the accuracy at the points of a curve, on the side away from the other curves."""
    # At most ten numbers, the last point's among them.
    every = math.ceil(len(this) / 10)
    for labels, accuracy in this[["labels", "accuracy"]].iloc[::-every].to_numpy(float):
        beside = [np.interp(labels, other["labels"], other["accuracy"]) for other in others if len(other)]
        above = not beside or accuracy >= np.mean(beside)
        axes.annotate(
            f"{100 * accuracy:.1f}",
            (labels, accuracy),
            # A learning curve rises: there is room to the upper left and to the lower right of it.
            (-2, 7) if above else (2, -7),
            textcoords="offset points",
            ha="right" if above else "left",
            va="bottom" if above else "top",
            color=MAIN,
            path_effects=HALO,
            zorder=6,
        )


def contact_sheet(images: np.ndarray, captions: list[str], columns: int = 10, title: str = "") -> Figure:
    """Show images in rows, each above its caption.

    Parameters
    ----------
    images
        uint8 (N, C, H, W), gray or RGB. Their pixels are enlarged by a whole number;
        of images above 160 pixels every second, third ... pixel is shown.
    captions
        One an image, of one or more lines; a long line is wrapped once, then cut.

    Returns
    -------
    A figure with one image of the size of `png(figure)` in pixels, and the captions as texts.

    Raises
    ------
    ValueError
        If there are not as many captions as images, or neither 1 nor 3 channels.
    """
    if len(images) != len(captions):
        raise ValueError(f"{len(captions)} captions for {len(images)} images")
    if images.shape[1] not in (1, 3):
        raise ValueError(f"images of shape {images.shape} have {images.shape[1]} channels: 1 or 3 can be shown")
    step = math.ceil(max(images.shape[2:]) / 160)
    images = images[:, :, ::step, ::step]
    scale = max(1, round(140 / max(images.shape[2:])))
    text, gap = 17, 12  # pixels
    captions = [_wrap(caption, int(scale * images.shape[3] / (0.6 * text))) for caption in captions]
    strip = max((caption.count("\n") + 1 for caption in captions), default=1) * int(1.25 * text) + gap + 8
    canvas, corners = _tile(images, columns, scale, gap, strip, header=48 if title else gap)
    axes, points = _pixel_axes(canvas), 72 / DPI
    for (x, y), caption in zip(corners, captions, strict=True):
        left, below = x + scale * images.shape[3] / 2, y + scale * images.shape[2] + 5
        axes.text(left, below, caption, fontsize=text * points, color=INK, ha="center", va="top", parse_math=False)
    axes.text(gap, 24, title, fontsize=22 * points, color=INK, weight="bold", va="center", parse_math=False)
    return axes.figure


def _wrap(caption: str, width: int) -> str:
    """Break the lines of a caption at `width` characters, once at most; what doesn't fit then is cut."""
    lines = []
    for line in caption.splitlines():
        first, *rest = wrap(line, max(4, width), break_on_hyphens=False) or [""]
        second = [rest[0][: max(3, width - 1)] + "…"] if len(rest) > 1 else rest
        lines += [first, *second]
    return "\n".join(lines)


def _tile(images, columns: int, scale: int, gap: int, strip: int, header: int) -> tuple[np.ndarray, list]:
    """Return images (N, C, H, W) enlarged on one white canvas (height, width, 3), and their corners (x, y)."""
    count, _, height, width = images.shape
    down, across = scale * height + strip, scale * width + gap
    canvas = np.full((header + max(1, -(-count // columns)) * down, gap + columns * across, 3), 255, np.uint8)
    corners = [(gap + i % columns * across, header + i // columns * down) for i in range(count)]
    for (x, y), image in zip(corners, images, strict=True):
        large = image.transpose(1, 2, 0).repeat(scale, axis=0).repeat(scale, axis=1)
        canvas[y : y + scale * height, x : x + scale * width] = large
    return canvas, corners


def _pixel_axes(canvas: np.ndarray) -> Axes:
    """Return axes that fill a figure with a canvas, one pixel of it a pixel of the PNG."""
    height, width = canvas.shape[:2]
    axes = Figure(figsize=(width / DPI, height / DPI), dpi=DPI).add_axes((0, 0, 1, 1))
    axes.imshow(canvas, interpolation="nearest", aspect="auto")
    axes.axis("off")
    return axes


def class_balance(label_set: pd.DataFrame, classes: list[str]) -> Figure:
    """Draw the share of each class among each cycle's newly labelled images; counts too, up to 30 classes.

    Parameters
    ----------
    label_set
        `id`, `label`, `cycle`, `why`.
    """
    few = len(classes) <= 30
    figure, axes = _plain(1.2 + len(classes) * (0.32 if few else 0.14), "cycle", "")
    if label_set.empty:
        return _nothing(figure, "nothing labelled yet")
    counts = pd.crosstab(label_set["label"], label_set["cycle"]).reindex(classes, fill_value=0)
    shares = (100 * counts / counts.sum().clip(lower=1)).to_numpy()
    shown = axes.imshow(shares, cmap="Blues", vmin=0, aspect="auto", interpolation="nearest")
    axes.set_yticks(range(len(classes)), classes, fontsize=10 if few else 7, parse_math=False)
    every = math.ceil(counts.shape[1] / 25)
    axes.set_xticks(range(0, counts.shape[1], every), counts.columns[::every])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    if few and every == 1:
        for (row, column), count in np.ndenumerate(counts.to_numpy()):
            colour = "white" if shares[row, column] > 0.6 * shares.max() else INK
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour, fontsize=9)
    bar = figure.colorbar(shown, ax=axes, label="share of the cycle's labels (%)", aspect=30, pad=0.02)
    bar.outline.set_visible(False)
    return figure


def losses_by_batch(ranking: pd.DataFrame) -> Figure:
    """Draw the distribution of pretext losses in each batch: minimum, quartiles, maximum.

    The axis is logarithmic if no loss is negative and the positive ones span more than two decades;
    losses of exactly 0 (a network sure of itself in float32) are then drawn at the smallest positive one.
    Infinite losses are left out.

    Parameters
    ----------
    ranking
        `id`, `pretext_loss`, `rank`, `batch`.
    """
    figure, axes = _plain(4, "batch (0 comes first in the ranking)", "pretext loss")
    losses = ranking["pretext_loss"].astype(float)
    losses = losses[np.isfinite(losses)]
    if losses.empty:
        return _nothing(figure, "nothing ranked yet")
    positive = losses[losses > 0]
    if losses.min() >= 0 and len(positive) and positive.max() > 100 * positive.min():
        axes.set_yscale("log")
        zeros = len(losses) - len(positive)
        losses = losses.clip(lower=positive.min())
        if zeros:
            axes.set_title(f"{zeros:,} losses are 0: drawn at the lowest edge", loc="left", fontsize=10, color=INK)
    groups = losses.groupby(ranking["batch"])
    edge = {"color": MAIN, "linewidth": 1.4}
    axes.boxplot(
        [group.to_numpy() for _, group in groups],
        positions=list(groups.groups),
        whis=(0, 100),
        widths=0.6,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": "#cfe3f1", "edgecolor": MAIN, "linewidth": 1.4},
        medianprops={"color": "#D55E00", "linewidth": 2},
        whiskerprops=edge,
        capprops=edge,
    )
    axes.xaxis.set_major_locator(MaxNLocator(20, integer=True))
    return figure


def seconds_by_stage(timings: pd.DataFrame) -> Figure:
    """Draw how long each stage took.

    Parameters
    ----------
    timings
        `stage`, `seconds`; the rows of one stage are added up, the first stage seen is on top.
    """
    totals = timings.groupby("stage", sort=False)["seconds"].sum()
    figure, axes = _plain(1 + 0.36 * max(len(totals), 2), "seconds", "")
    if totals.empty:
        return _nothing(figure, "nothing timed yet")
    bars = axes.barh(range(len(totals)), totals.to_numpy(float), color=MAIN, height=0.62)
    axes.bar_label(bars, [duration(seconds) for seconds in totals], padding=5, color=INK)
    axes.set_yticks(range(len(totals)), totals.index, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, max(1.18 * totals.max(), 1e-3))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    return figure


def audit(audits: pd.DataFrame) -> Figure:
    """Draw the rank correlation of pretext loss and main loss by cycle, with its 95 % interval.

    Parameters
    ----------
    audits
        `cycle`, `correlation`, `low`, `high`; rows without a correlation are left out.
    """
    figure, axes = _plain(3.8, "cycle", "rank correlation (-1 to 1)")
    known = audits.dropna(subset=["correlation"])
    if known.empty:
        return _nothing(figure, "nothing to audit yet")
    axes.axhline(0, color=INK, linewidth=1)
    axes.axhline(PAPER_CORRELATION, color="#D55E00", linewidth=1.2, linestyle="--")
    axes.annotate(
        f"the paper's claim, CIFAR-10: {PAPER_CORRELATION}",
        (0.99, PAPER_CORRELATION),
        (0, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        color="#D55E00",
        fontsize=9,
        path_effects=HALO,
    )
    values = known[["correlation", "low", "high"]].to_numpy(float)
    spread = np.abs(values[:, 1:] - values[:, :1]).T
    axes.errorbar(known["cycle"], values[:, 0], spread, fmt="o", color=MAIN, linewidth=1.8, capsize=4, markersize=7)
    axes.set_xlim(known["cycle"].min() - 0.6, known["cycle"].max() + 0.6)
    axes.set_ylim(-1, 1)
    axes.xaxis.set_major_locator(MaxNLocator(20, integer=True))
    return figure


def _plain(height: float, across: str, up: str) -> tuple[Figure, Axes]:
    """Return a figure of the house's style with one pair of axes; height in inches."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    axes = figure.add_subplot()
    axes.set_xlabel(across, color=INK)
    axes.set_ylabel(up, color=INK)
    axes.grid(color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#888888")
    axes.tick_params(colors=INK, color="#888888")
    return figure, axes


def _nothing(figure: Figure, message: str) -> Figure:
    """Say in place of a drawing why there is none."""
    figure.axes[0].axis("off")
    figure.axes[0].text(0.5, 0.5, message, ha="center", va="center", color="#777777", fontsize=14)
    return figure
