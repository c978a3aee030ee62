"""Draw what the labels bought: the curve with its intervals, and its forecast."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pt4al.plots.palette import MAIN, OTHERS
from pt4al.plots.style import AXES, plain, share_by_labels
from pt4al.plots.svg import tell_points


def draw_label_value(curve: list[dict], ahead: list[dict], metric: str) -> Figure:
    """Draw a learning curve with intervals and its forecast.

    Parameters
    ----------
    curve, ahead
        `curve` and `forecast` of `pt4al.statistics.label_value.label_value`.
    metric
        `accuracy` or `miou`.
    """
    _, up = AXES[metric]
    figure, axes = plain(3.5, "labels", f"{up} on control images")
    points = pd.DataFrame(curve)
    spread = [points["value"] - points["low"], points["high"] - points["value"]]
    axes.errorbar(
        points["labels"],
        points["value"],
        yerr=[part.clip(lower=0) for part in spread],
        fmt="o-",
        color=MAIN,
        capsize=4,
        linewidth=2.2,
        label="measured, 95 % intervals",
    )
    _tell(axes, points, "measured")
    if ahead:
        coming = pd.DataFrame(ahead)
        _tell(axes, coming, "forecast")
        axes.fill_between(
            coming["labels"],
            coming["low"].clip(0, 1),
            coming["high"].clip(0, 1),
            color=OTHERS[0],
            alpha=0.25,
            linewidth=0,
        )
        axes.plot(
            coming["labels"], coming["value"], "o--", color=OTHERS[0], label="forecast, 95 % band"
        )
    share_by_labels(axes)
    axes.legend(frameon=False, loc="best")
    return figure


def _tell(axes: Axes, points: pd.DataFrame, kind: str) -> None:
    texts = [
        f"{kind}: {row.labels:,.0f} labels, {100 * row.value:.1f} %, 95 % interval "
        f"{100 * row.low:.1f} to {100 * row.high:.1f} %"
        for row in points.itertuples()
    ]
    tell_points(axes, points["labels"], points["value"], texts)
