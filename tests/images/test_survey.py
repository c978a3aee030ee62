"""The size of a pool's images is what nearly all pictures have, and the page can say why."""

import numpy as np
import pandas as pd
import pytest

from pt4al.images.collection import Collection
from pt4al.images.survey import explain, infer_frame


def collection(sizes: list[tuple[int, int]]) -> Collection:
    ids = [f"{number:04d}" for number in range(len(sizes))]
    columns = dict.fromkeys(("source", "split", "label", "stamp"), None)
    index = pd.DataFrame({"id": ids, **columns}, dtype="str")
    return Collection(index, [], lambda rows: (np.zeros(sizes[row], np.uint8) for row in rows))


@pytest.mark.parametrize("place", [0, 100, 199])
def test_a_few_large_pictures_decide_nothing_wherever_they_stand(place):
    sizes = [(32, 48)] * 200
    for number in range(3):
        sizes[(place + number) % 200] = (2000, 3000)
    frame = infer_frame(collection(sizes), "auto", "auto", "crop", 255)
    assert (frame.height, frame.width) == (32, 48)
    assert explain(collection(sizes), "auto") == (
        "197 of 200 pictures looked at have 48 x 32 pixels, which `pool.size: auto` keeps."
    )


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([(32, 48)] * 5 + [(40, 40)] * 5, "many sizes (48 x 32 is that of 5 of 10"),
        ([(300, 400)] * 10, "10 of 10 pictures looked at have 400 x 300 pixels; of pictures larger than 256"),
    ],
)
def test_pictures_that_share_no_size_or_a_large_one_are_reduced_and_it_is_told(sizes, words):
    frame = infer_frame(collection(sizes), "auto", "auto", "crop", 255)
    assert (frame.height, frame.width) == (64, 64)
    assert words in explain(collection(sizes), "auto")


def test_size_that_a_person_states_needs_no_reason():
    assert explain(collection([(8, 8)]), 32) == "`pool.size` says so."
