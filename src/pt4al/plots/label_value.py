"""Draw what the labels bought: the curve with its intervals, and its forecast."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pt4al.plots.style import AXES, MAIN, OTHERS, plain, share_by_labels


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
    figure, axes = plain(4.0, "labels", f"{up} on control images")
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
    if ahead:
        coming = pd.DataFrame(ahead)
        axes.fill_between(
            coming["labels"],
            coming["low"],
            coming["high"],
            color=OTHERS[0],
            alpha=0.25,
            linewidth=0,
        )
        axes.plot(
            coming["labels"], coming["value"], "o--", color=OTHERS[0], label="forecast, 95 % band"
        )
    share_by_labels(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="best")
    return figure
