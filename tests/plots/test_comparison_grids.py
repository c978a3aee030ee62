"""What is drawn as grids of numbers."""

import math

import pandas as pd
import pytest

from pt4al.plots.cells import DARKEST
from pt4al.plots.comparison_grids import label_savings, needed_text, penalty_matrix
from pt4al.plots.style import png
from pt4al.plots.svg import svg
from support.sheets import titles


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_penalties_are_percent_and_the_last_row_averages_over_the_other_arms():
    matrix = pd.DataFrame([[0, 0.5, 1], [0.25, 0, 0], [0, 0, 0]], index=list("abc"), columns=list("abc"))
    figure = penalty_matrix(matrix)
    assert texts(figure) == ["–", "50", "100", "25", "–", "0", "0", "0", "–", "12", "25", "50"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b", "c", "average"]
    png(figure)


def test_savings_say_what_is_beyond_the_reference_and_leave_it_out():
    savings = pd.DataFrame(
        {
            "arm": ["random", "random", "ours", "ours"],
            "labels": [100, 2000, 100, 2000],
            "needed": [100, 2000, 150.4, math.inf],
            "low": [100, 2000, 100, math.inf],
            "high": [100, 2000, 212.6, math.inf],
        }
    )
    figure = label_savings(savings, "random")
    assert texts(figure) == ["150\n≤ 100 … 213", "> 2,000"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["ours"]
    png(figure)


def strength(savings: pd.DataFrame) -> list[float]:
    (mesh,) = label_savings(savings, "random").axes[0].collections
    return (mesh.get_array()[0, :, 3] / DARKEST).tolist()


def test_only_what_the_interval_bears_out_has_a_strong_colour():
    savings = pd.DataFrame({"arm": "random", "labels": [20, 40, 60], "needed": [20.0, 40, 60]})
    savings = savings.assign(low=savings["needed"], high=savings["needed"])
    sure = {"arm": "ours", "labels": [20, 40, 60], "needed": [40, 20, math.inf]}
    sure |= {"low": [30, 20, 70], "high": [50, 30, math.inf]}
    unsure = sure | {"low": [20, 20, 50], "high": [math.inf, 44, math.inf]}
    assert strength(pd.concat([savings, pd.DataFrame(sure)])) == pytest.approx([1, 1, 1])
    assert max(strength(pd.concat([savings, pd.DataFrame(unsure)]))) < 0.3


def test_a_cell_says_what_it_means():
    matrix = pd.DataFrame([[0, 1.0], [0.0, 0]], index=list("ab"), columns=list("ab"))
    told = titles(svg(penalty_matrix(matrix)))
    assert told[1] == "a beats b: 100 % of cycles" and told[-1] == "b is beaten: 100 %"


@pytest.mark.parametrize(
    ("labels", "text"), [(50, "≤ 50"), (50.6, "51"), (1234.4, "1,234"), (math.inf, "> 2,000"), (2000, "2,000")]
)
def test_labels_are_written_for_people(labels, text):
    assert needed_text(labels, (50, 2000)) == text


def test_intervals_are_left_to_the_pointer_where_they_would_touch():
    labels = list(range(1000, 13000, 1000))
    savings = pd.DataFrame({"arm": "ours", "labels": labels, "needed": 1500.0, "low": 1200.0, "high": 1800.0})
    figure = label_savings(savings, "random")
    assert set(texts(figure)) == {"1,500"}
    assert "95 % interval 1,200 to 1,800" in titles(svg(figure))[1]
