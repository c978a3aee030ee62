"""Masks by brush: read as Label Studio's own converter reads them, and what is written is read back."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pt4al.annotation.label_studio.brush import decode, encode
from pt4al.errors import InputError

# Two by Label Studio's converter, two painted on its page, noise, a single pixel, a whole picture (-1); what is painted
# is what its converter, decode_rle, says has an alpha above 127.
RECORDED = json.loads((Path(__file__).parent / "exports/brushes.json").read_text())
PAINTED = np.array([[True, False], [False, True]])


@pytest.mark.parametrize("brush", RECORDED, ids=[f"{each['height']}x{each['width']}" for each in RECORDED])
def test_a_recorded_mask_is_read_as_its_makers_read_it(brush: dict) -> None:
    painted = decode(brush["rle"], brush["height"], brush["width"])
    assert painted.shape == (brush["height"], brush["width"])
    expected = range(painted.size) if brush["painted"] == [-1] else brush["painted"]
    assert list(np.flatnonzero(painted)) == list(expected)


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_what_is_written_is_read_back(painted: np.ndarray) -> None:
    assert np.array_equal(decode(encode(painted), *painted.shape), painted)


@pytest.mark.parametrize("painted", [True, False])
def test_a_run_longer_than_its_length_can_tell_is_cut_in_several(painted: bool) -> None:
    assert (decode(encode(np.full((300, 400), painted)), 300, 400) == painted).all()


@given(st.data())
def test_a_mask_that_is_cut_short_is_named(data: st.DataObject) -> None:
    whole = encode(PAINTED)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(InputError, match=f"a mask ends after {cut} bytes, in the middle of a run"):
        decode(whole[:cut], 2, 2)


@given(st.lists(st.integers(0, 255), max_size=40))
def test_any_bytes_are_a_mask_or_a_mistake(encoded: list[int]) -> None:
    length = [0, 0, 0, 16]  # of 2 x 2 pixels in 4 channels
    try:
        assert decode(length + encoded, 2, 2).shape == (2, 2)
    except InputError as error:
        assert str(error).startswith("a mask")


def test_a_mask_of_another_size_is_named() -> None:
    with pytest.raises(InputError, match=r"a mask of 16 values does not fit an image of 3 x 2 pixels"):
        decode(encode(PAINTED), 3, 2)


@pytest.mark.parametrize("strange", [[256], [-1], ["a"], [1.5]])
def test_what_are_no_bytes_is_named(strange: list) -> None:
    with pytest.raises(InputError, match="numbers from 0 to 255 were expected"):
        decode(strange, 2, 2)
