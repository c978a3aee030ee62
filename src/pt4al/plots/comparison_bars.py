"""Draw one number for each arm of a comparison: difference to the reference, time, rank."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from pt4al.plots.comparison_curves import colours
from pt4al.plots.palette import FAINT, INK, PALETTE, PAPER
from pt4al.plots.style import FRAME, duration, name_rows, nothing, plain
from pt4al.plots.svg import tell, tell_points
from pt4al.statistics.verdict import points

PRETEXT = "pretext"


def differences(
    paired: pd.DataFrame, reference: str, floor: dict | None, arms: list[str]
) -> Figure:
    """Draw each arm's mean difference to the reference, its 95 % interval and the noise floor.

    Parameters
    ----------
    paired, floor
        See `pt4al.statistics.paired`: `paired` and `noise_floor`.
    reference
        The arm that stands at 0.
    arms
        All arms, for their colours.
    """
    rows = paired[paired["against"] == reference].sort_values("difference").reset_index(drop=True)
    figure, axes = plain(0.9 + 0.28 * max(len(rows), 2), f"points above {reference}", "")
    if rows.empty:
        return nothing(figure, "nothing to compare")
    if floor:
        axes.axvspan(-floor["floor"], floor["floor"], color=FAINT, zorder=0)
    axes.axvline(0, color=INK, linewidth=1)
    colour = colours(arms)
    for place, row in rows.iterrows():
        drawn = {"color": colour[row["arm"]], "linewidth": 2.2}
        axes.plot([row["low"], row["high"]], [place, place], **drawn)
        axes.plot(row["difference"], place, "o", markersize=8, **drawn)
        axes.annotate(
            points(row["difference"]),
            (row["high"], place),
            (6, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            annotation_clip=False,
        )
        told = f"{points(row['low'])} to {points(row['high'])}"
        text = f"{row['arm']}: {points(row['difference'])} points, 95 % interval {told}"
        tell_points(axes, [row["difference"]], [place], [text])
    name_rows(axes, rows["arm"])
    axes.margins(x=0.1, y=0.6 / len(rows))
    return figure


def seconds_by_arm(seconds: pd.DataFrame, arms: list[str]) -> Figure:
    """Draw how long a run of each arm takes, the pretext stage first and hatched.

    Parameters
    ----------
    seconds
        `arm`, `run`, `stage`, `seconds`. A stage's rows are added up in each run and averaged over
        an arm's runs; pretext training counts in each run, although runs with one seed share it.
    arms
        In the order drawn; those that were not timed are left out.
    """
    figure, axes = plain(1.2 + 0.28 * max(seconds["arm"].nunique(), 2), "seconds a run", "")
    if seconds.empty:
        return nothing(figure, "nothing timed")
    runs = seconds.groupby("arm")["run"].nunique()
    means = seconds.pivot_table(
        index="arm", columns="stage", values="seconds", aggfunc="sum", fill_value=0, sort=False
    )
    means = means.div(runs, axis=0).loc[[arm for arm in arms if arm in runs]]
    means = means[sorted(means.columns, key=lambda stage: stage != PRETEXT)]
    left = np.zeros(len(means))
    # The pretext's grey is none of the stages' colours.
    shades = {PRETEXT: FRAME} | dict(
        zip(means.columns.drop(PRETEXT, errors="ignore"), PALETTE, strict=False)
    )
    for stage in means:
        hatch = "//" if stage == PRETEXT else None
        bars = axes.barh(
            range(len(means)),
            means[stage],
            left=left,
            height=0.62,
            color=shades[stage],
            hatch=hatch,
            edgecolor=PAPER,
            label=stage,
        )
        for bar, (arm, length) in zip(bars, means[stage].items(), strict=True):
            tell(bar, f"{arm}, {stage}: {duration(length)}")
        left = left + means[stage].to_numpy()
    for place, total in enumerate(left):
        axes.annotate(
            duration(total),
            (total, place),
            (5, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    name_rows(axes, means.index)
    axes.invert_yaxis()
    axes.set_xlim(0, max(1.25 * left.max(), 1e-3))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    figure.legend(loc="outside upper left", ncols=min(4, len(means.columns)), frameon=False)
    return figure


def critical_difference(ranks: dict, arms: list[str]) -> Figure:
    """Draw mean ranks over data sets; a bar joins arms that Nemenyi's test doesn't tell apart.

    Parameters
    ----------
    ranks
        See `pt4al.statistics.ranks.ranks`.
    arms
        All arms, for their colours.
    """
    # Late: it brings pyplot and seaborn, a second at the start of every command.
    import scikit_posthocs

    figure, axes = plain(1.6 + 0.2 * len(ranks["ranks"]), "", "")
    axes.grid(False)
    scikit_posthocs.critical_difference_diagram(
        ranks["ranks"],
        ranks["nemenyi"],
        ax=axes,
        color_palette=colours(arms),
        label_fmt_left="{label} ({rank:.1f})",
        label_fmt_right="({rank:.1f}) {label}",
    )
    return figure
