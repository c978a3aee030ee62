"""The look of pictures, and what becomes of one that can't be drawn."""

import io
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.errors import InputError
from pt4al.plots import heat_maps, run
from pt4al.plots.kinds import KINDS, kind
from pt4al.plots.style import duration, pictures, plain, png
from pt4al.plots.svg import svg
from support.sheets import words

DOLLARS = [r"$\frac{$", "a$b$c", "$$", "_x^2$$", "100$"]


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)))


def test_dollar_signs_in_names_of_files_and_classes_are_drawn_as_they_are() -> None:
    counts = pd.DataFrame({0: range(1, 6)}, index=DOLLARS)
    curve = pd.DataFrame({"labels": [10, 20], "accuracy": [0.5, 0.6]})
    for drawn in (
        heat_maps.class_balance(counts, "images"),
        run.learning_curve({DOLLARS[0]: curve, DOLLARS[1]: curve}),
    ):
        assert pixels(png(drawn)).std() > 0
        assert set(words(svg(drawn))) & set(DOLLARS)


def test_a_logarithmic_axis_has_plain_numbers() -> None:
    losses = np.geomspace(1e-4, 10, 50)
    figure = run.losses_by_batch(pd.DataFrame({"pretext_loss": losses, "batch": 0}))
    figure.draw_without_rendering()
    said = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {"0.001", "0.01", "0.1", "1"} <= set(said)
    assert not any("$" in text for text in said)


def broken(*arguments: Any) -> Any:
    raise ZeroDivisionError("no picture")


def test_a_picture_that_cant_be_drawn_is_a_warning_and_the_others_are_drawn() -> None:
    good = partial(plain, 2, "x", "y")
    with pytest.warns(RuntimeWarning, match=r"picture bad can't be drawn: ZeroDivisionError: no picture"):
        drawn = pictures({"bad": broken, "good": lambda: good()[0]})
    assert words(drawn["bad"]) == ["This picture could not be drawn."]
    assert drawn["good"] == svg(good()[0])


def test_what_is_a_file_already_stays_as_it_is() -> None:
    assert pictures({"panels": lambda: b"\x89PNG"}) == {"panels": b"\x89PNG"}


@pytest.mark.parametrize(
    ("content", "name"), [(b"<svg>", "svg"), (b"<div>", "html"), (b"\x89PNG", "png"), (b"", "png")]
)
def test_a_picture_s_first_bytes_say_its_kind(content, name):
    assert kind(content) == name and name in KINDS


def test_what_can_not_be_read_is_no_matter_of_a_picture() -> None:
    def damaged() -> Any:
        raise InputError("pool.json is damaged")

    with pytest.raises(InputError, match="is damaged"):
        pictures({"sheet": damaged})


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.42, "0.42 s"), (9.99, "10 s"), (59.7, "1 min 0 s"), (3599.9, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations_are_written_for_people(seconds, text):
    assert duration(seconds) == text
