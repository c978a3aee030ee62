"""Why an image was chosen: the words, and the sheet."""

import json

import numpy as np
import pandas as pd
import pytest

from pt4al.plots import explanations
from pt4al.plots.style import png


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


def sheet(reasons_of: pd.DataFrame, channels: int = 3):
    asked = []

    def pictures(ids: list[str]) -> np.ndarray:
        asked.extend(ids)
        return np.full((len(ids), channels, 8, 8), 9, np.uint8)

    labels = pd.Series({"known 0": "cat", "known 1": "dog"})
    return explanations.explanation_sheet(reasons_of, pictures, labels, "Query 1"), asked


def test_every_reason_is_in_words() -> None:
    told = explanations.in_words(table().iloc[0])
    assert told == {
        "score": "0.250",
        "ranking": "place 1 of 5,000 in batch 2",
        "pretext loss": "1.5",
        "stands for": "1,234 unlabelled images",
    }


def test_a_first_query_has_no_score_and_none_is_invented() -> None:
    assert "score" not in explanations.in_words(table(score=np.nan).iloc[0])


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stand_beside_their_neighbours_and_these_have_their_labels(channels: int) -> None:
    figure, asked = sheet(table(2), channels)
    assert asked == ["asked 0", "known 0", "known 1", "known 2", "asked 1", "known 0", "known 1", "known 2"]
    captions = [text.get_text() for text in figure.axes[0].texts]
    assert captions == ["asked 0", "cat", "dog", "", "asked 1", "cat", "dog", ""]  # a mask has no name
    assert sum("stands for: 1,234" in text.get_text() for text in figure.texts) == 2
    assert png(figure).startswith(b"\x89PNG")


def test_before_any_label_an_image_stands_alone() -> None:
    figure, asked = sheet(table(2, near=0))
    assert asked == ["asked 0", "asked 1"]
    assert len(figure.axes[0].images) == 2


def test_a_long_query_is_cut() -> None:
    _, asked = sheet(table(100, near=0))
    assert len(asked) == explanations.SHOWN


def test_nothing_is_drawn_outside_the_sheet_or_upon_another_picture() -> None:
    figure, _ = sheet(table(5))
    assert figure.axes[0].get_xlim() == figure.axes[0].get_ylim() == (0, 1)
    boxes = [image.get_extent() for image in figure.axes[0].images]
    assert len(boxes) == 20
    for number, (left, right, foot, top) in enumerate(boxes):
        assert left >= 0 and right <= 1 and foot >= 0 and top <= 1
        for other in boxes[:number]:
            assert right <= other[0] or other[1] <= left or top <= other[2] or other[3] <= foot


def test_names_are_below_their_pictures_not_on_them() -> None:
    figure, _ = sheet(table(5))
    png(figure)
    for image, text in zip(figure.axes[0].images, figure.axes[0].texts, strict=True):
        assert text.get_window_extent().y1 <= image.get_window_extent().y0
