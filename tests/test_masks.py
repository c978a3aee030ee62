"""Masks survive their files, and what is no class is found."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from pt4al.errors import InputError
from pt4al.masks import IGNORED, count, decode, encode, ignore, unknown_values

MASKS = arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6)))


@given(mask=MASKS, level=st.sampled_from([-1, 1, 9]))
def test_mask_survives_its_file(mask, level):
    decoded = decode(encode(mask, compress_level=level))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, mask)


@given(mask=MASKS)
def test_file_of_a_mask_is_the_same_every_time(mask):
    assert encode(mask) == encode(mask.copy(order="F"))


def test_file_that_is_no_picture_is_refused():
    with pytest.raises(InputError, match="can't be read"):
        decode(b"no picture")


def test_mask_in_colour_is_refused():
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    with pytest.raises(InputError, match=r"has the shape \(2, 2, 3\)"):
        decode(file.getvalue())


@given(mask=MASKS, classes=st.integers(1, 256), ignored=st.sets(st.integers(0, 255)))
def test_values_that_are_neither_class_nor_ignored_are_found(mask, classes, ignored):
    unknown = [value for value in range(classes, IGNORED) if value in mask and value not in ignored]
    assert unknown_values(mask, classes, ignored).tolist() == unknown


@given(mask=MASKS, ignored=st.sets(st.integers(0, 255)))
def test_ignored_values_become_255_and_others_stay(mask, ignored):
    result = ignore(mask, ignored)
    assert result.dtype == np.uint8
    listed = [IGNORED if value in ignored else value for value in mask.ravel().tolist()]
    assert result.ravel().tolist() == listed


def test_pixels_are_counted_by_class_and_ignored_ones_are_not():
    mask = np.array([[0, 2, 2], [IGNORED, 2, 0]], np.uint8)
    assert count(mask, 4).tolist() == [2, 0, 3, 0]


def test_more_classes_than_a_mask_has_values_are_counted():
    assert count(np.array([0, 270]), 300).tolist() == [1] + [0] * 269 + [1] + [0] * 29
