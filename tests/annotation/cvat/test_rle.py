"""CVAT's masks, against examples worked out by hand after its SDK's `encode_mask` and `decode_mask`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pt4al.annotation.cvat.rle import decode, encode
from pt4al.errors import InputError

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def test_a_mask_is_runs_in_its_box_and_the_boxs_corners():
    mask = np.array([[0, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0]], bool)
    assert encode(mask) == [0, 1, 1, 2, 1, 1, 2, 2]
    assert (decode([0, 1, 1, 2, 1, 1, 2, 2], 3, 4) == mask).all()
    begins_empty = np.array([[0, 1], [1, 0]], bool)
    assert encode(begins_empty) == [1, 2, 1, 0, 0, 1, 1]
    assert (decode([1.0, 2.0, 1.0, 0.0, 0.0, 1.0, 1.0], 2, 2) == begins_empty).all()


@given(mask=SHAPES.flatmap(lambda shape: arrays(bool, shape)))
def test_what_is_encoded_is_decoded(mask: np.ndarray):
    if mask.any():
        assert (decode(encode(mask), *mask.shape) == mask).all()
    else:
        with pytest.raises(InputError, match="covers none"):
            encode(mask)


@pytest.mark.parametrize(
    "points, told",
    [
        ([], "0 numbers"),
        ([0, 0, 1, 1], "4 numbers"),
        ([0, 4, 0, 0, 2, 1], "does not fit an image of 2 x 2"),
        ([0, 4, 1, 0, 0, 1], "does not fit"),
        ([0, 3, 0, 0, 1, 1], "3 pixels long: 4 were expected"),
        ([0, 10**12, 0, 0, 1, 1], "4 were expected"),
        ([0.5, 3.5, 0, 0, 1, 1], "whole ones"),
        ([-1, 5, 0, 0, 1, 1], "whole ones"),
        ([float("nan"), 5, 0, 0, 1, 1], "whole ones"),
        ([float("inf"), 5, 0, 0, 1, 1], "whole ones"),
    ],
)
def test_numbers_that_are_no_mask_are_told_of(points: list[float], told: str):
    with pytest.raises(InputError, match=told):
        decode(points, 2, 2)
