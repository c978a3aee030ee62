"""Masks are class numbers in the geometry of the images; what is neither class nor ignored is an error."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pt4al.errors import InputError
from pt4al.images.decode import Frame
from pt4al.images.masks import read_masks
from support.pictures import encoded

FRAME = Frame(3, 4, 6)


@pytest.fixture
def masked(collect):
    """Make a collection of three pictures, the second without a mask."""

    def make(masks: list[np.ndarray | bytes]):
        pictures = [mask if isinstance(mask, bytes) else encoded(mask) for mask in masks]
        return replace(
            collect([b""] * 3),
            masks=lambda rows: (pictures[row] for row in rows),
            masked=np.array([True, False, True]),
        )

    return make


def read(collection, ignored=(255,), frame=FRAME) -> dict[str, np.ndarray]:
    return dict(read_masks(collection, collection.index["id"], frame, list(ignored)))


def test_masks_are_read_as_they_stand_and_only_where_there_are_any(masked):
    mask = np.random.default_rng(0).integers(0, 2, (4, 6), np.uint8)
    found = read(masked([mask, mask, 1 - mask]))
    assert list(found) == ["picture 0", "picture 2"]
    np.testing.assert_array_equal(found["picture 0"], mask)
    np.testing.assert_array_equal(found["picture 2"], 1 - mask)


def test_only_asked_ids_are_read(masked):
    collection = masked([np.zeros((4, 6), np.uint8)] * 3)
    assert [name for name, _ in read_masks(collection, pd.Series(["picture 2"]), FRAME, [])] == ["picture 2"]


def test_ignored_values_become_255(masked):
    mask = np.full((4, 6), 11, np.uint8)
    assert (read(masked([mask] * 3), [11])["picture 0"] == 255).all()


def test_strange_value_is_one_error_with_id_and_value(masked):
    mask = np.zeros((4, 6), np.uint8)
    mask[0, 0] = 9
    with pytest.raises(InputError, match="mask of 'picture 0' holds the value 9, but there are 2 classes"):
        read(masked([mask] * 3))


def test_broken_mask_is_one_error_with_its_id(masked):
    mask = np.zeros((4, 6), np.uint8)
    with pytest.raises(InputError, match="the mask of 'picture 2' can't be decoded: cut short"):
        read(masked([mask, mask, encoded(np.zeros((40, 60), np.uint8))[:50]]))


def test_numbers_are_never_mixed_when_masks_are_resized(masked):
    mask = np.kron(np.random.default_rng(0).integers(0, 2, (9, 7)), np.ones((5, 5))).astype(np.uint8)
    assert set(np.unique(read(masked([mask] * 3))["picture 0"])) <= {0, 1}


def test_letterbox_bars_are_ignored(masked):
    found = read(masked([np.zeros((4, 4), np.uint8)] * 3), frame=replace(FRAME, fit="letterbox"))["picture 0"]
    np.testing.assert_array_equal(found, np.array([[255, 0, 0, 0, 0, 255]] * 4))


@pytest.mark.parametrize(("shape", "fits"), [((8, 12), True), ((4, 6), True), ((3, 5), True), ((12, 8), False)])
def test_mask_of_another_shape_than_its_picture_is_refused(masked, shape, fits):
    masks = [np.zeros((8, 12), np.uint8)] * 2 + [np.zeros(shape, np.uint8)]
    picture = encoded(np.zeros((8, 12, 3), np.uint8))
    collection = replace(masked(masks), pictures=lambda rows: (picture for _ in rows))
    if fits:
        assert len(read(collection)) == 2
        return
    with pytest.raises(InputError, match="mask of 'picture 2' has 8 x 12 pixels, its picture 12 x 8"):
        read(collection)
