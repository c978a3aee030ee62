"""What a contact sheet shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pt4al.plots.contact_sheets import contact_sheet, differing
from support.sheets import Sheet


def flat(values: list[int], height: int = 2, width: int = 3) -> np.ndarray:
    return np.broadcast_to(np.array(values, np.uint8)[:, None, None, None], (len(values), 1, height, width))


@settings(max_examples=settings.default.max_examples // 2)
@given(values=st.lists(st.integers(0, 255), min_size=1, max_size=13), title=st.sampled_from(["", "Cycle <0>"]))
def test_each_image_of_a_contact_sheet_stands_above_its_caption(values, title):
    sheet = Sheet(contact_sheet(flat(values), [str(value) for value in values], title))
    assert [image[0, 0] for image in sheet.images] == values
    assert sheet.captions == [str(value) for value in values]
    assert sheet.text.startswith(title)


def test_small_images_keep_every_pixel_and_are_enlarged_by_a_whole_number():
    images = np.random.default_rng(0).integers(0, 255, (7, 3, 28, 28), np.uint8)
    sheet = Sheet(contact_sheet(images, ["a"] * 7))
    assert np.array_equal(np.stack(sheet.images), images.transpose(0, 2, 3, 1))
    assert set(sheet.sizes) == {(84, 84)}


def test_large_images_are_reduced_and_photos_weigh_little():
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 255, (1, 3, 8, 6)).repeat(80, axis=2).repeat(80, axis=3).astype(np.uint8)
    content = contact_sheet(photo + rng.integers(0, 9, photo.shape, np.uint8), ["a"])
    sheet = Sheet(content)
    assert sheet.images[0].shape == (128, 96, 3) and sheet.sizes == [(96, 72)]
    assert len(content) < 12_000


def test_captions_are_text_whatever_they_say():
    captions = ["<b>x</b>\n$5 & $6", "eine sehr große Klasse", "\udce4.png"]
    sheet = Sheet(contact_sheet(flat([1, 2, 3], 32, 32), captions))
    assert sheet.captions[:2] == captions[:2]


def test_an_image_without_a_caption_is_still_one_for_those_who_do_not_see_it():
    assert Sheet(contact_sheet(flat([1, 2]), ["cat\n0.50", ""])).names == ["cat, 0.50", "without a name"]


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [(flat([1, 2]), ["a"], "1 captions for 2 images"), (np.zeros((1, 4, 8, 8), np.uint8), ["a"], "4 channels")],
)
def test_contact_sheet_refuses_what_it_cannot_show(images, captions, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(images, captions)


def test_an_empty_query_has_an_empty_sheet():
    assert Sheet(contact_sheet(np.zeros((0, 3, 32, 32), np.uint8), [])).images == []


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.4, 0.2], ["1.4", "0.20"]),
        ([1.3861, 1.3862, 1.3862], ["1.3861", "1.3862", "1.3862"]),
        ([1.0, 1.0 + 1e-9], ["1.00000", "1.00000"]),
        ([], []),
    ],
)
def test_numbers_have_digits_enough_to_differ(values, texts):
    assert differing(values) == texts
