"""What the heat maps by class and cycle show."""

import pandas as pd
import pytest

from pt4al.plots.cells import DARKEST
from pt4al.plots.heat_maps import class_balance, iou_by_class
from pt4al.plots.style import png
from pt4al.plots.svg import svg
from support.sheets import titles


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def ticks(figure) -> tuple[list[str], list[str]]:
    axes = figure.axes[0]
    return tuple([label.get_text() for label in labels] for labels in (axes.get_yticklabels(), axes.get_xticklabels()))


def darkness(figure):
    """Of each cell, from 0 to 1."""
    (mesh,) = figure.axes[0].collections
    return mesh.get_array()[..., 3] / DARKEST


COUNTS = pd.DataFrame({0: [1, 0, 2], 1: [1500, 0, 500]}, index=["dog", "eel", "cat"])


def test_class_balance_counts_each_cycles_images_and_keeps_the_order_of_classes():
    figure = class_balance(COUNTS)
    assert texts(figure) == ["1", "1,500", "0", "0", "2", "500"]
    assert ticks(figure) == (["dog", "eel", "cat"], ["0", "1"])
    assert darkness(figure)[:, 1].tolist() == pytest.approx([1, 0, 1 / 3])
    png(figure)


def test_class_balance_says_what_its_numbers_are_and_calls_rounds_so():
    axes = class_balance(COUNTS, when="round").axes[0]
    assert axes.get_title(loc="left") == "images; the darker, the more of the round's"
    assert axes.get_xlabel() == "round"


def test_class_balance_of_pixels_writes_shares_and_tells_little_from_nothing():
    counts = pd.DataFrame({0: [99_990, 0, 10, 0], 1: [0, 0, 1, 1]}, index=["road", "sky", "sign", "car"])
    figure = class_balance(counts, unit="pixels")
    assert texts(figure) == ["100.0", "0", "0", "0", "<0.1", "50.0", "0", "50.0"]
    assert "pixels" in figure.axes[0].get_title(loc="left")


def test_class_balance_of_a_cycle_without_labels_is_all_zeros():
    figure = class_balance(COUNTS.assign(empty=0)[[0, "empty"]], unit="pixels")
    assert texts(figure) == ["33.3", "0", "0", "0", "66.7", "0"]


def test_class_balance_of_a_hundred_classes_has_no_numbers():
    classes = [f"class {i}" for i in range(100)]
    figure = class_balance(pd.DataFrame({0: 1}, index=classes))
    assert texts(figure) == [] and ticks(figure)[0] == classes


@pytest.mark.parametrize("unit", ["images", "pixels"])
@pytest.mark.parametrize("columns", [[], [0]])
def test_class_balance_of_nothing_says_so(columns, unit):
    figure = class_balance(pd.DataFrame(0, index=["cat"], columns=columns), unit)
    assert texts(figure) == ["nothing labelled yet"]
    png(figure)


def test_numbers_are_left_out_where_they_would_touch():
    counts = pd.DataFrame({cycle: [1234] for cycle in range(40)}, index=["cat"])
    figure = class_balance(counts)
    assert texts(figure) == [] and 10 < len(ticks(figure)[1]) < 40


METRICS = [
    {"labels": 50, "miou": 0.5, "iou_road": 0.5, "iou_sign": None},
    {"labels": 1000, "miou": 0.4, "iou_road": 0.8125, "iou_sign": 0.0, "iou_car": 0.25},
]


def test_iou_by_class_has_a_row_a_class_and_a_column_a_cycle():
    figure = iou_by_class(METRICS)
    assert ticks(figure) == (["road", "sign", "car"], ["0\n50", "1\n1,000"])
    assert texts(figure) == ["50.0", "81.2", "–", "0", "–", "25.0"]
    png(figure)


def test_iou_is_drawn_from_0_to_100_percent_whatever_the_run_reached():
    assert darkness(iou_by_class(METRICS[:1]))[:, 0].tolist() == pytest.approx([0.5, 0])
    assert darkness(iou_by_class(METRICS))[:, 1].tolist() == pytest.approx([0.8125, 0, 0.25])


def test_every_cell_says_its_class_its_cycle_and_its_number_even_where_there_is_no_room():
    classes = [f"class {i}" for i in range(100)]
    told = titles(svg(class_balance(pd.DataFrame({0: range(100)}, index=classes))))
    assert told[:3] == ["class 0, 0: 0", "class 1, 0: 1", "class 2, 0: 2"] and len(told) == 100


@pytest.mark.parametrize("metrics", [[], [{"labels": 5, "accuracy": 1.0}]])
def test_iou_of_nothing_says_so(metrics):
    assert texts(iou_by_class(metrics)) == ["nothing evaluated yet"]
