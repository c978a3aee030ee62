"""Give every picture of a report one look, and write it as a file."""

import io
import warnings
from collections.abc import Callable, Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, StrMethodFormatter

from pt4al.errors import InputError
from pt4al.plots.palette import FAINT, INK, PAPER, SOFT
from pt4al.plots.svg import svg

# Names of files and classes are no mathematics, whatever dollar signs they have.
matplotlib.rcParams["text.parse_math"] = False

DPI = 128
# Inches. A phone shows a letter of 10 points at 9 pixels, a screen at 16.
WIDTH = 5.8
FRAME = "#8b929b"
# What the axes of a learning curve say, by metric.
AXES = {"accuracy": ("labels", "accuracy (%)"), "miou": ("labelled images", "mean IoU (%)")}


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A file's name may have signs that the font lacks: a box stands for them, as elsewhere.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="png", dpi=DPI, facecolor=PAPER, metadata={"Software": None})
    return buffer.getvalue()


def pictures(drawings: Mapping[str, Callable[[], Figure | bytes]]) -> dict[str, bytes]:
    """Return each drawing as a file: a figure as SVG, and what is a file already as it is.

    One that can't be drawn is a warning, and its picture says so: the run goes on.
    """
    return {name: _picture(name, draw) for name, draw in drawings.items()}


def _picture(name: str, draw: Callable[[], Figure | bytes]) -> bytes:
    try:
        drawn = draw()
        return drawn if isinstance(drawn, bytes) else svg(drawn)
    except InputError:  # what should be drawn can't be read
        raise
    except Exception as error:
        message = f"the picture {name} can't be drawn: {type(error).__name__}: {error}"
        warnings.warn(f"{message}. The run goes on without it.", RuntimeWarning, stacklevel=3)
        return svg(nothing(plain(1.5, "", "")[0], "This picture could not be drawn."))


def logarithmic(axes: Axes) -> None:
    """Make the upright axis logarithmic, with plain numbers: mathematical text is off."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


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


def share_by_labels(axes: Axes) -> None:
    """Write numbers of labels across, and shares of 1 upwards in percent."""
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g}"))


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Write a name beside each row of a chart, the first one at 0."""
    axes.set_yticks(range(len(names)), names)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)


def plain(height: float, across: str, up: str) -> tuple[Figure, Axes]:
    """Return a figure of the house's style with one pair of axes; height in inches."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.05, h_pad=0.05)
    axes = figure.add_subplot()
    axes.set_xlabel(across, color=INK)
    axes.set_ylabel(up, color=INK)
    axes.grid(color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FRAME)
    axes.tick_params(colors=FRAME, labelcolor=INK)
    return figure, axes


def nothing(figure: Figure, message: str) -> Figure:
    """Say in place of a drawing why there is none."""
    figure.set_figheight(0.8)
    figure.axes[0].axis("off")
    figure.axes[0].text(0.5, 0.5, message, ha="center", va="center", color=SOFT, fontsize=12)
    return figure
