"""What is drawn of each arm as one number."""

import numpy as np
import pandas as pd
import pytest

from pt4al.plots import comparison_bars
from pt4al.plots.comparison_curves import colours
from pt4al.plots.style import png

ARMS = ["random", "margin", "ours"]
PAIRED = pd.DataFrame(
    {
        "arm": ["margin", "ours", "ours"],
        "against": ["random", "random", "margin"],
        "difference": [2.0, -0.04, -2.0],
        "low": [1.0, -1.0, -3.0],
        "high": [3.0, 0.9, -1.0],
    }
)


def ticks(figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_differences_are_those_to_the_reference_the_highest_on_top():
    figure = comparison_bars.differences(PAIRED, "random", {"floor": 0.5}, ARMS)
    assert ticks(figure) == ["ours", "margin"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["+0.0", "+2.0"]
    bars = [list(drawn.get_xdata()) for drawn in figure.axes[0].lines if drawn.get_color() == colours(ARMS)["margin"]]
    assert bars == [[1.0, 3.0], [2.0]]
    (shaded,) = figure.axes[0].patches
    assert (shaded.get_x(), shaded.get_width()) == (-0.5, 1.0)
    png(figure)


def test_without_a_noise_floor_nothing_is_shaded():
    assert not comparison_bars.differences(PAIRED, "random", None, ARMS).axes[0].patches


def test_seconds_are_means_over_runs_and_the_pretext_comes_first_hatched():
    rows = [
        ("ours", "ours-0", "main", 10.0), ("ours", "ours-0", "main", 20.0), ("ours", "ours-0", "pretext", 5.0),
        ("ours", "ours-1", "main", 50.0), ("ours", "ours-1", "pretext", 7.0),
        ("random", "random-0", "main", 8.0),
    ]  # fmt: skip
    figure = comparison_bars.seconds_by_arm(pd.DataFrame(rows, columns=["arm", "run", "stage", "seconds"]), ARMS)
    pretext, main = figure.axes[0].containers
    assert ticks(figure) == ["random", "ours"]
    assert [bar.get_width() for bar in pretext] == [0, 6] and pretext[0].get_hatch()
    assert [bar.get_width() for bar in main] == [8, 40] and [bar.get_x() for bar in main] == [0, 6]
    assert [text.get_text() for text in figure.axes[0].texts] == ["8 s", "46 s"]
    png(figure)


def test_mean_ranks_are_written_beside_the_arms():
    same = pd.DataFrame(np.ones((3, 3)), index=ARMS, columns=ARMS)
    ranks = {"ranks": pd.Series({"random": 3.0, "margin": 1.5, "ours": 1.5}), "nemenyi": same}
    figure = comparison_bars.critical_difference(ranks, ARMS)
    texts = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert all(arm in texts for arm in ARMS) and "(3.0)" in texts and "(1.5)" in texts
    png(figure)


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (comparison_bars.differences(PAIRED.head(0), "random", None, ARMS), "nothing to compare"),
        (
            comparison_bars.seconds_by_arm(pd.DataFrame(columns=["arm", "run", "stage", "seconds"]), ARMS),
            "nothing timed",
        ),
    ],
)
def test_a_figure_of_nothing_says_so(figure, message):
    assert message in figure.axes[0].texts[0].get_text()
