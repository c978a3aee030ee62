"""What is shown of an image's pixels: truth, prediction, uncertainty."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from pt4al.plots.mask_panels import mask_panels
from pt4al.plots.style import png

CLASSES = [f"class {number}" for number in range(40)]


def maps(number: int, count: int = 1, size: tuple[int, int] = (60, 80)) -> np.ndarray:
    return np.full((count, *size), number, np.uint8)


def images(count: int = 1, size: tuple[int, int] = (60, 80), channels: int = 3) -> np.ndarray:
    return np.full((count, channels, *size), 7, np.uint8)


def canvas(figure) -> np.ndarray:
    return figure.axes[0].images[0].get_array()


def texts(figure) -> dict[str, tuple[int, int]]:
    return {text.get_text(): tuple(map(int, text.get_position())) for text in figure.axes[0].texts}


def below(figure, heading: str, pixels: int = 40) -> np.ndarray:
    """A piece of the first panel below a heading."""
    x, y = texts(figure)[heading]
    return canvas(figure)[y + 20 : y + 20 + pixels, x : x + pixels]


def swatch(figure, name: str) -> np.ndarray:
    x, y = texts(figure)[name]
    return canvas(figure)[y, x - 12]


@settings(max_examples=settings.default.max_examples // 2)
@given(truth=st.integers(0, 39), prediction=st.integers(0, 39))
def test_a_class_has_one_colour_in_truth_prediction_and_legend_and_no_two_share_it(truth, prediction):
    figure = mask_panels(images(), maps(truth), maps(prediction), maps(0), CLASSES, ["a"])
    for heading, number in (("truth", truth), ("prediction", prediction)):
        assert (below(figure, heading) == swatch(figure, f"class {number}")).all()
    same = (swatch(figure, f"class {truth}") == swatch(figure, f"class {prediction}")).all()
    assert same == (truth == prediction)


def test_a_colour_does_not_depend_on_which_classes_occur():
    alone = mask_panels(images(), maps(5), None, None, CLASSES, ["a"])
    among = mask_panels(images(), maps(5), maps(3), maps(0), CLASSES, ["a"])
    assert (swatch(alone, "class 5") == swatch(among, "class 5")).all()


def test_ignored_pixels_are_light_and_gray_in_two_tones_as_no_class_is():
    figure = mask_panels(images(), maps(255), maps(0), maps(0), CLASSES, ["a"])
    ignored = below(figure, "truth")
    assert (ignored == ignored[..., :1]).all() and ignored.min() > 170
    assert len(np.unique(ignored)) == 2
    for number in range(40):
        colour = swatch(mask_panels(images(), maps(number), None, None, CLASSES, ["a"]), f"class {number}")
        assert np.ptp(colour.astype(int)) > 30


def test_legend_names_what_occurs_and_nothing_else():
    truth = maps(2)
    truth[0, :9] = 255
    figure = mask_panels(images(), truth, maps(1), maps(0), CLASSES, ["a"])
    headings = {"", "a", "image", "truth", "prediction", "uncertainty"}
    assert set(texts(figure)) - headings == {"class 1", "class 2", "ignored", "uncertainty, low to high"}


def test_uncertain_pixels_are_brighter():
    levels = [
        below(mask_panels(images(), maps(0), maps(0), maps(level), CLASSES, ["a"]), "uncertainty").mean()
        for level in (0, 60, 120, 180, 255)
    ]
    assert levels == sorted(set(levels))


def test_before_there_is_a_model_image_and_truth_are_shown_two_images_a_row():
    figure = mask_panels(images(3), maps(1, 3), None, None, CLASSES, ["a", "b", "c"])
    found = texts(figure)
    assert "prediction" not in found and "uncertainty" not in found
    assert found["a"][1] == found["b"][1] < found["c"][1]
    assert found["a"][0] == found["c"][0] < found["b"][0]


def test_with_predictions_there_is_one_image_a_row_in_the_order_given():
    shown = images(3)
    shown[:, 0] = np.array([10, 20, 30])[:, None, None]
    figure = mask_panels(shown, maps(1, 3), maps(1, 3), maps(1, 3), CLASSES, ["a", "b", "c"], "Cycle 1")
    found = texts(figure)
    assert [canvas(figure)[found[name][1] - 30, found[name][0] + 9, 0] for name in "abc"] == [10, 20, 30]
    assert found["Cycle 1"][1] < found["class 1"][1] < found["truth"][1] < found["a"][1] < found["b"][1]


@pytest.mark.parametrize(
    ("size", "shown"),
    [((28, 28), (252, 252)), ((180, 240), (180, 240)), ((1024, 2048), (114, 228)), ((640, 480), (214, 160))],
)
def test_large_images_are_thinned_out_and_small_ones_enlarged(size, shown):
    figure = mask_panels(images(1, size, 1), maps(0, 1, size), maps(0, 1, size), maps(9, 1, size), CLASSES, ["a"])
    found = (canvas(figure) == 7).all(axis=2)
    assert (found.any(axis=1).sum(), found.any(axis=0).sum()) == shown


def test_pixels_keep_their_place():
    truth = maps(0)
    truth[0, :30, 40:] = 1
    x, y = texts(figure := mask_panels(images(), truth, maps(2), maps(0), CLASSES, ["a"]))["truth"]
    corner = (canvas(figure) == swatch(figure, "class 1")).all(axis=2)[y + 14 :, x:]
    rows, columns = np.nonzero(corner)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (90, 120)
    assert columns.min() == 120


def test_panels_reach_the_png_pixel_by_pixel():
    noise = np.random.default_rng(0).integers(0, 255, (2, 3, 50, 70), np.uint8)
    figure = mask_panels(noise, maps(0, 2, (50, 70)), maps(1, 2, (50, 70)), noise[:, 0], CLASSES, ["", ""])
    drawn = np.round(255 * imread(io.BytesIO(png(figure)))[:, :, :3]).astype(np.uint8)
    assert drawn.shape == canvas(figure).shape
    y = texts(figure)["image"][1]
    assert np.array_equal(drawn[y + 20 :], canvas(figure)[y + 20 :])


def test_many_classes_stand_in_several_lines_within_the_picture():
    truth = np.arange(60 * 80, dtype=np.int64).reshape(1, 60, 80) % 40
    figure = mask_panels(images(), truth.astype(np.uint8), None, None, CLASSES, ["a"])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text().startswith("class")]
    assert len(boxes) == 40 and len({box.y0 for box in boxes}) > 3
    assert max(box.x1 for box in boxes) <= canvas(figure).shape[1]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_long_captions_keep_their_end_and_stay_beneath_their_image():
    captions = [f"{'a_long_folder/' * 9}frame_{number}.png" for number in range(2)]
    figure = mask_panels(images(2), maps(0, 2), None, None, CLASSES, captions)
    figure.draw_without_rendering()
    first, second = (text for text in figure.axes[0].texts if text.get_text().endswith(".png"))
    assert first.get_text().endswith("frame_0.png") and first.get_text().startswith("…")
    assert not first.get_window_extent().overlaps(second.get_window_extent())


def test_an_empty_query_has_an_empty_picture():
    png(mask_panels(images(0), maps(0, 0), None, None, CLASSES, []))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"captions": ["a"]}, "1 captions for 2 images"),
        ({"images": images(2, channels=4)}, "4 channels"),
        ({"truths": maps(0, 1)}, r"truth of shape \(1, 60, 80\) for images"),
        ({"predictions": maps(0, 2, (60, 60))}, r"prediction of shape \(2, 60, 60\) for images"),
        ({"uncertainties": maps(0, 2, (30, 40))}, r"uncertainty of shape \(2, 30, 40\) for images"),
        ({"truths": maps(40, 2)}, "class 40, but classes are 0 to 39"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    fitting = {"images": images(2), "truths": maps(0, 2), "predictions": maps(0, 2), "uncertainties": maps(0, 2)}
    with pytest.raises(ValueError, match=message):
        mask_panels(**(fitting | {"classes": CLASSES, "captions": ["a", "b"]} | changes))
