"""What the charts show."""

import numpy as np
import pandas as pd
import pytest

from pt4al.plots import run
from pt4al.plots.style import png


def curve(*accuracy: float) -> pd.DataFrame:
    return pd.DataFrame({"labels": 100 * np.arange(1, len(accuracy) + 1), "accuracy": accuracy})


def ranking(losses: list[float], batches: int = 2) -> pd.DataFrame:
    rows = np.arange(len(losses))
    return pd.DataFrame(
        {"id": rows.astype(str), "pretext_loss": losses, "rank": rows, "batch": rows * batches // len(losses)}
    )


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_learning_curve_writes_this_runs_numbers_and_names_all_curves():
    figure = run.learning_curve({"mine": curve(0.5, 0.625), "random": curve(0.4, 0.7)})
    assert sorted(texts(figure)) == ["50.0", "62.5"]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["mine", "random"]
    png(figure)


def test_learning_curve_of_segmentation_shows_mean_iou_of_labelled_images():
    curves = {"mine": curve(0.9).assign(miou=0.25), "random": curve(0.9).assign(miou=0.5)}
    figure = run.learning_curve(curves, "miou")
    axes = figure.axes[0]
    assert texts(figure) == ["25.0"]
    assert [line.get_ydata()[0] for line in axes.lines] == [0.25, 0.5]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("labelled images", "mean IoU (%)")


def test_a_first_point_alone_stands_between_0_and_100_percent_at_its_labels():
    axes = run.learning_curve({"mine": curve(0.5)}).axes[0]
    assert axes.get_ylim() == (0, 1) and list(axes.get_xticks()) == [100]


def test_a_run_s_interval_is_drawn_where_it_is_known():
    known = curve(0.5, 0.6).assign(low=[0.4, 0.5], high=[0.6, 0.7])
    whiskers = run.learning_curve({"mine": known}).axes[0].collections[0].get_segments()
    assert [list(ends[:, 1]) for ends in whiskers] == [[0.4, 0.6], [0.5, 0.7]]


def test_numbers_of_the_lower_curve_are_below_it():
    figure = run.learning_curve({"mine": curve(0.2, 0.3), "random": curve(0.4, 0.5)})
    assert {text.get_va() for text in figure.axes[0].texts} == {"top"}


def test_learning_curve_of_many_cycles_writes_few_numbers_and_the_last():
    figure = run.learning_curve({"mine": curve(*np.linspace(0.1, 0.9, 47))})
    assert len(texts(figure)) <= 10 and "90.0" in texts(figure)


@pytest.mark.parametrize(
    ("losses", "scale"),
    [
        ([50, 3, 0.2, 1e-5], "log"),
        ([50, 3, 1e-5, 0], "log"),
        ([float("inf"), 3, 1e-5, 0], "log"),
        ([4, 3, 2, 1], "linear"),
        ([0, 0, 0, 0], "linear"),
        ([50, 3, 1e-5, -1], "linear"),
    ],
)
def test_losses_over_many_decades_are_drawn_on_a_logarithmic_axis(losses, scale):
    figure = run.losses_by_batch(ranking(losses))
    assert figure.axes[0].get_yscale() == scale
    png(figure)


def test_losses_of_zero_on_a_logarithmic_axis_are_counted():
    figure = run.losses_by_batch(ranking([50, 3, 1e-5, 0, 0]))
    assert figure.axes[0].get_title(loc="left").startswith("2 losses are 0")


def test_seconds_of_a_stage_are_added_up_and_the_first_seen_is_on_top():
    figure = run.seconds_by_stage(
        pd.DataFrame({"stage": ["pool", "main", "scoring", "main"], "seconds": [1.0, 40.0, 2.5, 50.0]})
    )
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["pool", "main", "scoring"]
    assert texts(figure) == ["1 s", "1 min 30 s", "2.5 s"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_audit_draws_the_known_cycles_alone():
    audits = pd.DataFrame({"cycle": [1, 2], "correlation": [0.4, np.nan], "low": [0.1, np.nan], "high": [0.6, np.nan]})
    figure = run.audit(audits)
    (points,) = figure.axes[0].containers
    assert points[0].get_xydata().tolist() == [[1, 0.4]]
    assert any("0.79" in text for text in texts(figure))
    png(figure)
    assert texts(run.audit(audits.tail(1))) == ["nothing to audit yet"]


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (lambda: run.learning_curve({"mine": curve()}), "evaluated"),
        (lambda: run.losses_by_batch(ranking([1.0]).head(0)), "ranked"),
        (lambda: run.seconds_by_stage(pd.DataFrame({"stage": [], "seconds": []})), "timed"),
    ],
)
def test_a_figure_of_nothing_says_so(figure, message):
    drawn = figure()
    assert message in texts(drawn)[0]
    png(drawn)


def test_the_same_figure_gives_the_same_bytes():
    first, second = (png(run.learning_curve({"mine": curve(0.5, 0.6)})) for _ in range(2))
    assert first == second
