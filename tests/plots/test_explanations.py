"""Why an image was chosen: the words, and the sheet."""

import json

import numpy as np
import pandas as pd
import pytest

from pt4al.plots import explanations
from support.sheets import Sheet


def table(images: int = 3, near: int = 3, score: float = 0.25) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"asked {number}" for number in range(images)],
            "score": score,
            "pretext_loss": 1.5,
            "batch": 2,
            "place": range(1, images + 1),
            "places": 5000,
            "stands_for": 1234,
            "neighbours": json.dumps([f"known {number}" for number in range(near)]),
        }
    )


def sheet(reasons_of: pd.DataFrame, channels: int = 3) -> tuple[Sheet, list[str]]:
    asked = []

    def pictures(ids: list[str]) -> np.ndarray:
        asked.extend(ids)
        return np.full((len(ids), channels, 8, 8), 9, np.uint8)

    labels = pd.Series({"known 0": "cat", "known 1": "dog", "known 2": b"mask", "asked 1": "<bird>"})
    drawn = explanations.explanation_sheet(reasons_of, pictures, labels, lambda row: f"Since <{row['place']}>.")
    return Sheet(drawn), asked


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stand_beside_their_neighbours_and_these_have_their_labels(channels: int) -> None:
    drawn, asked = sheet(table(2), channels)
    assert drawn.names == ["asked 0", "known 0", "known 1", "known 2", "asked 1", "known 0", "known 1", "known 2"]
    assert drawn.captions == 2 * ["cat", "dog", "known 2"]  # a mask has no name
    assert len(asked) == len(set(asked))  # none is read twice


def test_name_reason_and_label_are_text() -> None:
    drawn, _ = sheet(table(2))
    first, second = drawn.text.split("asked 1")
    assert "asked 0\nSince <1>." in first and "Labelled" not in first
    assert "Since <2>.\nLabelled <bird>" in second


def test_before_any_label_an_image_stands_alone() -> None:
    drawn, _ = sheet(table(2, near=0))
    assert drawn.names == ["asked 0", "asked 1"]
    assert "Nearest" not in drawn.text


def test_a_long_query_is_cut_and_says_so() -> None:
    drawn, asked = sheet(table(100, near=0))
    assert len(asked) == explanations.SHOWN
    assert drawn.text.startswith(f"The first {explanations.SHOWN} of 100")


def test_an_empty_query_has_an_empty_sheet() -> None:
    assert sheet(table(0))[0].images == []
