"""What a contact sheet shows."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from pt4al.plots.contact_sheets import contact_sheet
from pt4al.plots.style import png


def flat(values: list[int], height: int = 2, width: int = 3) -> np.ndarray:
    return np.broadcast_to(np.array(values, np.uint8)[:, None, None, None], (len(values), 1, height, width))


@settings(max_examples=settings.default.max_examples // 2)
@given(count=st.integers(1, 13), columns=st.integers(1, 5), title=st.sampled_from(["", "Cycle 0"]))
def test_each_image_of_a_contact_sheet_stands_above_its_caption(count, columns, title):
    values = list(range(10, 10 + count))
    figure = contact_sheet(flat(values), [str(value) for value in values], columns, title)
    canvas = figure.axes[0].images[0].get_array()
    captions = [text for text in figure.axes[0].texts if text.get_text() and text.get_text() != title]
    for caption in captions:
        x, y = caption.get_position()
        assert (canvas[int(y) - 10, int(x)] == int(caption.get_text())).all()
    assert len(captions) == count
    assert len({caption.get_position()[0] for caption in captions}) == min(count, columns)


def test_contact_sheet_reaches_the_png_pixel_by_pixel():
    images = np.random.default_rng(0).integers(0, 255, (7, 3, 28, 28), np.uint8)
    figure = contact_sheet(images, [""] * 7, columns=5)
    drawn = np.round(255 * imread(io.BytesIO(png(figure)))[:, :, :3]).astype(np.uint8)
    assert np.array_equal(drawn, figure.axes[0].images[0].get_array())


def test_contact_sheet_enlarges_small_images_and_thins_out_large_ones():
    small = contact_sheet(np.zeros((1, 1, 28, 28), np.uint8), ["a"], columns=1)
    large = contact_sheet(np.zeros((1, 3, 640, 480), np.uint8), ["a"], columns=1)
    for figure in (small, large):
        assert 100 < (figure.axes[0].images[0].get_array() == 0).all(axis=2).any(axis=0).sum() < 170


def test_long_captions_are_wrapped_to_their_image_and_dollars_are_no_formula():
    figure = contact_sheet(flat([1], 32, 32), ["an_endless_name_of_a_class_of_images\n$5 and $6"])
    name, rest, price = figure.axes[0].texts[0].get_text().splitlines()
    assert [name, rest, price] == ["an_endless_n", "ame_of_a_cl…", "$5 and $6"]
    png(figure)


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [(flat([1, 2]), ["a"], "1 captions for 2 images"), (np.zeros((1, 4, 8, 8), np.uint8), ["a"], "4 channels")],
)
def test_contact_sheet_refuses_what_it_cannot_show(images, captions, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(images, captions)


def test_an_empty_query_has_an_empty_sheet():
    png(contact_sheet(np.zeros((0, 3, 32, 32), np.uint8), []))
