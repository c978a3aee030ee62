"""What the figures show."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from pt4al.reporting import figures


def curve(*accuracy: float) -> pd.DataFrame:
    return pd.DataFrame({"labels": 100 * np.arange(1, len(accuracy) + 1), "accuracy": accuracy})


def ranking(losses: list[float], batches: int = 2) -> pd.DataFrame:
    rows = np.arange(len(losses))
    return pd.DataFrame(
        {"id": rows.astype(str), "pretext_loss": losses, "rank": rows, "batch": rows * batches // len(losses)}
    )


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def flat(values: list[int], height: int = 2, width: int = 3) -> np.ndarray:
    return np.broadcast_to(np.array(values, np.uint8)[:, None, None, None], (len(values), 1, height, width))


@settings(max_examples=10, deadline=None)
@given(count=st.integers(1, 13), columns=st.integers(1, 5), title=st.sampled_from(["", "Cycle 0"]))
def test_each_image_of_a_contact_sheet_stands_above_its_caption(count, columns, title):
    values = list(range(10, 10 + count))
    figure = figures.contact_sheet(flat(values), [str(value) for value in values], columns, title)
    canvas = figure.axes[0].images[0].get_array()
    captions = [text for text in figure.axes[0].texts if text.get_text() and text.get_text() != title]
    for caption in captions:
        x, y = caption.get_position()
        assert (canvas[int(y) - 10, int(x)] == int(caption.get_text())).all()
    assert len(captions) == count
    assert len({caption.get_position()[0] for caption in captions}) == min(count, columns)


def test_contact_sheet_reaches_the_png_pixel_by_pixel():
    images = np.random.default_rng(0).integers(0, 255, (7, 3, 28, 28), np.uint8)
    figure = figures.contact_sheet(images, [""] * 7, columns=5)
    drawn = np.round(255 * imread(io.BytesIO(figures.png(figure)))[:, :, :3]).astype(np.uint8)
    assert np.array_equal(drawn, figure.axes[0].images[0].get_array())


def test_contact_sheet_enlarges_small_images_and_thins_out_large_ones():
    small = figures.contact_sheet(np.zeros((1, 1, 28, 28), np.uint8), ["a"], columns=1)
    large = figures.contact_sheet(np.zeros((1, 3, 640, 480), np.uint8), ["a"], columns=1)
    for figure in (small, large):
        assert 100 < (figure.axes[0].images[0].get_array() == 0).all(axis=2).any(axis=0).sum() < 170


def test_long_captions_are_wrapped_to_their_image_and_dollars_are_no_formula():
    figure = figures.contact_sheet(flat([1], 32, 32), ["an_endless_name_of_a_class_of_images\n$5 and $6"])
    name, rest, price = figure.axes[0].texts[0].get_text().splitlines()
    assert [name, rest, price] == ["an_endless_n", "ame_of_a_cl…", "$5 and $6"]
    figures.png(figure)


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [(flat([1, 2]), ["a"], "1 captions for 2 images"), (np.zeros((1, 4, 8, 8), np.uint8), ["a"], "4 channels")],
)
def test_contact_sheet_refuses_what_it_cannot_show(images, captions, message):
    with pytest.raises(ValueError, match=message):
        figures.contact_sheet(images, captions)


def test_an_empty_query_has_an_empty_sheet():
    figures.png(figures.contact_sheet(np.zeros((0, 3, 32, 32), np.uint8), []))


def test_learning_curve_writes_this_runs_numbers_and_names_all_curves():
    figure = figures.learning_curve({"mine": curve(0.5, 0.625), "random": curve(0.4, 0.7)})
    assert sorted(texts(figure)) == ["50.0", "62.5"]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["mine", "random"]
    figures.png(figure)


def test_learning_curve_of_many_cycles_writes_few_numbers_and_the_last():
    figure = figures.learning_curve({"mine": curve(*np.linspace(0.1, 0.9, 47))})
    assert len(texts(figure)) <= 10 and "90.0" in texts(figure)


def test_class_balance_counts_each_cycle_and_keeps_the_order_of_classes():
    label_set = pd.DataFrame(
        {"id": list("abcde"), "label": ["cat", "cat", "dog", "cat", "dog"], "cycle": [0, 0, 0, 1, 1]}
    )
    figure = figures.class_balance(label_set, ["dog", "eel", "cat"])
    assert texts(figure) == ["1", "1", "0", "0", "2", "1"]
    assert figure.axes[0].images[0].get_array()[:, 1].tolist() == [50, 0, 50]
    figures.png(figure)


def test_class_balance_of_a_hundred_classes_has_no_numbers():
    classes = [f"class {i}" for i in range(100)]
    figure = figures.class_balance(pd.DataFrame({"id": classes, "label": classes, "cycle": 0}), classes)
    assert texts(figure) == [] and len(figure.axes[0].get_yticklabels()) == 100


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
    figure = figures.losses_by_batch(ranking(losses))
    assert figure.axes[0].get_yscale() == scale
    figures.png(figure)


def test_losses_of_zero_on_a_logarithmic_axis_are_counted():
    figure = figures.losses_by_batch(ranking([50, 3, 1e-5, 0, 0]))
    assert figure.axes[0].get_title(loc="left").startswith("2 losses are 0")


def test_seconds_of_a_stage_are_added_up_and_the_first_seen_is_on_top():
    figure = figures.seconds_by_stage(
        pd.DataFrame({"stage": ["pool", "main", "scoring", "main"], "seconds": [1.0, 40.0, 2.5, 50.0]})
    )
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["pool", "main", "scoring"]
    assert texts(figure) == ["1 s", "1 min 30 s", "2.5 s"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.42, "0.42 s"), (9.99, "10 s"), (59.7, "1 min 0 s"), (3599.9, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations_are_written_for_people(seconds, text):
    assert figures.duration(seconds) == text


def test_audit_draws_the_known_cycles_alone():
    audits = pd.DataFrame({"cycle": [1, 2], "correlation": [0.4, np.nan], "low": [0.1, np.nan], "high": [0.6, np.nan]})
    figure = figures.audit(audits)
    (points,) = figure.axes[0].containers
    assert points[0].get_xydata().tolist() == [[1, 0.4]]
    assert any("0.79" in text for text in texts(figure))
    figures.png(figure)
    assert texts(figures.audit(audits.tail(1))) == ["nothing to audit yet"]


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (lambda: figures.learning_curve({"mine": curve()}), "evaluated"),
        (lambda: figures.class_balance(pd.DataFrame({"id": [], "label": [], "cycle": []}), ["a"]), "labelled"),
        (lambda: figures.losses_by_batch(ranking([1.0]).head(0)), "ranked"),
        (lambda: figures.seconds_by_stage(pd.DataFrame({"stage": [], "seconds": []})), "timed"),
    ],
)
def test_a_figure_of_nothing_says_so(figure, message):
    drawn = figure()
    assert message in texts(drawn)[0]
    figures.png(drawn)


def test_the_same_figure_gives_the_same_bytes():
    first, second = (figures.png(figures.learning_curve({"mine": curve(0.5, 0.6)})) for _ in range(2))
    assert first == second
