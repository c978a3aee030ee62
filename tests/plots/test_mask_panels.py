"""What is shown of an image's pixels: truth, prediction, uncertainty."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pt4al.plots.mask_panels import mask_panels
from support.sheets import Sheet

CLASSES = [f"class {number}" for number in range(40)]


def maps(number: int, count: int = 1, size: tuple[int, int] = (60, 80)) -> np.ndarray:
    return np.full((count, *size), number, np.uint8)


def images(count: int = 1, size: tuple[int, int] = (60, 80), channels: int = 3) -> np.ndarray:
    return np.full((count, channels, *size), 7, np.uint8)


def named(sheet: Sheet, name: str) -> list[np.ndarray]:
    """The panels of a name, in order."""
    return [image for image, about in zip(sheet.images, sheet.names, strict=True) if about == name]


def legend(sheet: Sheet) -> dict[str, np.ndarray]:
    """Swatches by what stands beside them."""
    names = [part.strip() for part in sheet.text.split("image")[0].split("\n") if part.strip()]
    return dict(zip(names, named(sheet, "colour"), strict=True))


def drawn(*arguments: object) -> Sheet:
    """The sheet, with each name of its legend on a line of its own."""
    return Sheet(re.sub(b"</span>( |</div>)", rb"\n</span>\1", mask_panels(*arguments)))


@settings(max_examples=settings.default.max_examples // 2)
@given(truth=st.integers(0, 39), prediction=st.integers(0, 39))
def test_a_class_has_one_colour_in_truth_prediction_and_legend_and_no_two_share_it(truth, prediction):
    sheet = drawn(images(), maps(truth), maps(prediction), maps(0), CLASSES, ["a"])
    colours = legend(sheet)
    for heading, number in (("truth", truth), ("prediction", prediction)):
        assert (named(sheet, heading)[0] == colours[f"class {number}"][0, 0]).all()
    same = (colours[f"class {truth}"] == colours[f"class {prediction}"]).all()
    assert same == (truth == prediction)


def test_a_colour_does_not_depend_on_which_classes_occur():
    alone = drawn(images(), maps(5), None, None, CLASSES, ["a"])
    among = drawn(images(), maps(5), maps(3), maps(0), CLASSES, ["a"])
    assert (legend(alone)["class 5"] == legend(among)["class 5"]).all()


def test_ignored_pixels_are_light_and_gray_in_two_tones_as_no_class_is():
    (ignored,) = named(drawn(images(), maps(255), maps(0), maps(0), CLASSES, ["a"]), "truth")
    assert (ignored == ignored[..., :1]).all() and ignored.min() > 170
    assert len(np.unique(ignored)) == 2
    for number in range(40):
        colour = legend(drawn(images(), maps(number), None, None, CLASSES, ["a"]))[f"class {number}"]
        assert np.ptp(colour[0, 0].astype(int)) > 30


def test_legend_names_what_occurs_and_nothing_else():
    truth = maps(2)
    truth[0, :9] = 255
    sheet = drawn(images(), truth, maps(1), maps(0), CLASSES, ["a"])
    assert list(legend(sheet)) == ["class 1", "class 2", "ignored", "uncertainty, low to high"]


def test_uncertain_pixels_are_brighter():
    levels = [
        named(drawn(images(), maps(0), maps(0), maps(level), CLASSES, ["a"]), "uncertainty")[0].mean()
        for level in (0, 60, 120, 180, 255)
    ]
    assert levels == sorted(set(levels))


def test_before_there_is_a_model_image_and_truth_are_shown():
    sheet = drawn(images(3), maps(1, 3), None, None, CLASSES, ["a", "b", "c"])
    assert sheet.captions == ["image\na", "truth", "image\nb", "truth", "image\nc", "truth"]


def test_each_image_stands_beside_its_maps_in_the_order_given():
    shown = images(3)
    shown[:, :] = np.array([10, 20, 30])[:, None, None, None]
    sheet = drawn(shown, maps(1, 3), maps(1, 3), maps(1, 3), CLASSES, ["a", "b", ""], "Cycle 1")
    assert [image[0, 0, 0] for image in named(sheet, "image")] == [10, 20, 30]
    assert sheet.captions[:5] == ["image\na", "truth", "prediction", "uncertainty", "image\nb"]
    assert sheet.text.startswith("Cycle 1") and sheet.captions[8] == "image"


@pytest.mark.parametrize(
    ("size", "shown"),
    [((28, 28), (196, 196)), ((180, 240), (150, 200)), ((1024, 2048), (100, 200)), ((640, 480), (200, 150))],
)
def test_panels_of_an_image_have_one_size(size, shown):
    sheet = drawn(images(1, size, 1), maps(0, 1, size), maps(0, 1, size), maps(9, 1, size), CLASSES, ["a"])
    sizes = [each for each, name in zip(sheet.sizes, sheet.names, strict=True) if name != "colour"]
    assert len(sizes) == 4 and np.abs(np.subtract(sizes, shown)).max() <= 1


def test_pixels_of_a_mask_keep_their_place_and_their_colours():
    truth = maps(0)
    truth[0, :30, 40:] = 1
    sheet = drawn(images(), truth, maps(2), maps(0), CLASSES, ["a"])
    (panel,) = named(sheet, "truth")
    assert np.array_equal((panel == legend(sheet)["class 1"][0, 0]).all(axis=2), truth[0] == 1)
    assert np.array_equal((panel == legend(sheet)["class 0"][0, 0]).all(axis=2), truth[0] == 0)


def test_names_of_classes_are_text():
    sheet = drawn(images(), maps(0), None, None, ["<b>road</b>"], ["<i>"])
    assert list(legend(sheet)) == ["<b>road</b>"] and sheet.captions[0] == "image\n<i>"


def test_an_empty_query_has_an_empty_picture():
    assert drawn(images(0), maps(0, 0), None, None, CLASSES, []).images == []


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
