"""What is drawn of the arms cycle by cycle."""

import math

import numpy as np
import pandas as pd
import pytest

from pt4al.plots import comparison_curves
from pt4al.plots.comparison_curves import colours
from pt4al.plots.style import png
from pt4al.plots.svg import svg
from support.arms import cells
from support.sheets import titles

ARMS = ["random", "margin", "ours"]


def line(figure, arm: str, arms: list[str] = ARMS):
    """The line of an arm's means, which alone has markers."""
    drawn = [one for one in figure.axes[0].lines if one.get_color() == colours(arms)[arm]]
    (found,) = [one for one in drawn if one.get_marker() != "None"]
    return found


def thin(figure) -> int:
    return sum(one.get_marker() == "None" for one in figure.axes[0].lines)


def bands(figure) -> list[np.ndarray]:
    return [drawn.get_paths()[0].vertices[:, 1] for drawn in figure.axes[0].collections if drawn.get_alpha()]


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_every_arm_has_a_colour_of_its_own_in_the_web_s_notation():
    arms = [f"arm{number}" for number in range(12)]
    found = colours(arms)
    assert list(found) == arms and len(set(found.values())) == 12
    assert all(len(colour) == 7 and int(colour[1:], 16) >= 0 for colour in found.values())


def test_an_arm_keeps_its_colour_when_others_are_added_after_it():
    assert colours(ARMS).items() <= colours([*ARMS, "badge"]).items()


def test_curves_are_means_over_seeds_without_repetitions():
    rows = cells({"random": 0.0, "margin": 0.01, "ours": 0.03}, repeated="random")
    figure = comparison_curves.learning_curves(rows, "accuracy", ARMS, ["ours"])
    first = rows[(rows["arm"] == "random") & (rows["repeat"] == 0)]
    assert line(figure, "random").get_ydata() == pytest.approx(first.groupby("labels")["accuracy"].mean().to_numpy())
    assert list(line(figure, "random").get_xdata()) == [100, 200, 300, 400]
    assert line(figure, "ours").get_linewidth() > line(figure, "margin").get_linewidth()
    assert legend(figure) == ["ours", "margin", "random"]
    png(figure)


def test_colours_stay_when_an_arm_has_no_rows():
    audits = pd.DataFrame({"arm": "ours", "seed": [0, 1, 0], "cycle": [1, 1, 2], "correlation": [0.1, 0.3, np.nan]})
    figure = comparison_curves.audits(audits, ARMS)
    assert line(figure, "ours").get_ydata() == pytest.approx([0.2])
    assert legend(figure) == ["ours"]
    png(figure)


def test_evenness_is_1_for_even_classes_and_0_for_one_alone_and_counts_classes_never_asked():
    rows = [
        ("random", 0, 0, "a", 5), ("random", 0, 0, "b", 5), ("random", 0, 0, "c", 5),
        ("margin", 0, 0, "a", 9),
        ("ours", 0, 0, "a", 4), ("ours", 0, 0, "b", 4),
    ]  # fmt: skip
    queries = pd.DataFrame(rows, columns=["arm", "seed", "cycle", "class", "images"])
    figure = comparison_curves.class_balance(queries, ARMS)
    found = [float(line(figure, arm).get_ydata()[0]) for arm in ARMS]
    assert found == pytest.approx([1, 0, math.log(2) / math.log(3)])
    png(figure)


def test_few_seeds_are_thin_lines_and_more_are_a_band():
    rows = cells({"random": 0.0, "margin": 0.01, "ours": 0.03})
    whole = comparison_curves.learning_curves(rows, "accuracy", ARMS, ["ours"])
    few = comparison_curves.learning_curves(rows[rows["seed"] < 3], "accuracy", ARMS, ["ours"])
    assert (thin(whole), len(bands(whole))) == (0, 3)
    assert (thin(few), len(bands(few))) == (9, 0)
    assert line(few, "ours").get_ydata() == pytest.approx(
        rows[(rows["seed"] < 3) & (rows["arm"] == "ours")].groupby("labels")["accuracy"].mean().to_numpy()
    )


def test_a_band_ends_where_values_do():
    rows = cells({"random": 0.0, "margin": 0.01, "ours": 0.03})
    rows["accuracy"] = np.where(rows["seed"] == 0, 0.01, 0.99)
    figure = comparison_curves.learning_curves(rows, "accuracy", ARMS, [])
    audits = rows.assign(correlation=np.where(rows["seed"] == 0, -0.99, 0.99))
    for drawn, (low, high) in ((figure, (0, 1)), (comparison_curves.audits(audits, ARMS), (-1, 1))):
        values = np.concatenate(bands(drawn))
        assert values.min() >= low and values.max() == high


def test_every_mean_says_its_arm_and_its_number():
    figure = comparison_curves.learning_curves(cells({"random": 0.0, "ours": 0.03}), "accuracy", ARMS, [])
    told = titles(svg(figure))
    assert len(told) == 8 and told[0].startswith("random: labels 100, ") and told[0].endswith(" %")


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (
            comparison_curves.audits(
                pd.DataFrame({"arm": ["a"], "seed": [0], "cycle": [0], "correlation": [np.nan]}), ["a"]
            ),
            "nothing to audit",
        ),
        (
            comparison_curves.class_balance(
                pd.DataFrame({"arm": ["a"], "seed": [0], "cycle": [0], "class": ["x"], "images": [3]}), ["a"]
            ),
            "no classes",
        ),
    ],
)
def test_a_figure_of_nothing_says_so(figure, message):
    assert message in figure.axes[0].texts[0].get_text()
