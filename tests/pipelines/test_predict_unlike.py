"""Pipeline `predict` says so where pictures do not look like those that the model has learnt from."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pt4al.errors import InputError
from pt4al.images import sources
from pt4al.images.decode import Frame
from pt4al.pipelines.predict.nodes import read_pictures
from pt4al.pipelines.predict.unlike import unlike
from pt4al.project.configuration.parsing import parse
from support.projects import newest, run, tiny

GREY = Frame(channels=1, height=28, width=28)


def write(folder: Path, mode: str, size: tuple[int, int], number: int = 10) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    bands = {"L": (), "RGB": (3,)}[mode]
    for name in range(number):
        Image.fromarray(rng.integers(0, 256, (*size, *bands), np.uint8)).save(folder / f"{mode}{size[0]}{name}.png")
    return folder


@pytest.mark.parametrize(
    ("files", "words"),
    [((), r"no such file or folder \(`predict\.path`\)"), (("images/1.png", "masks/1.png"), "`predict.kind=flat`")],
)
def test_mistakes_name_the_settings_that_were_typed(tmp_path: Path, files: tuple, words: str) -> None:
    for name in files:
        write((tmp_path / "x" / name).parent, "L", (8, 8), 1)
    asked = parse(tiny(predict={"path": str(tmp_path / "x")})).predict
    with pytest.raises(InputError, match=words) as raised:
        read_pictures(asked)
    assert "pool." not in str(raised.value)


@pytest.mark.parametrize(
    "mode, size, told",
    [
        ("RGB", (28, 28), "10 of 10 looked at are in colour, and those are grey. What"),
        ("L", (40, 30), "10 of 10 have other sizes than 28 x 28 pixels. What"),
        ("RGB", (40, 30), "in colour, and those are grey; 10 of 10 have other sizes"),
        ("L", (28, 28), None),
    ],
)
def test_pictures_of_another_kind_are_told_in_one_sentence(tmp_path: Path, mode: str, size: tuple, told: str) -> None:
    collection = sources.read("auto", str(write(tmp_path / "photos", mode, size)))
    sentence = unlike(collection, GREY, parse(tiny()).pool)
    assert sentence is None if told is None else told in sentence


def test_a_few_others_and_a_size_that_somebody_chose_are_no_reason(tmp_path: Path) -> None:
    folder = write(tmp_path / "photos", "L", (28, 28), number=9)
    collection = sources.read("auto", str(write(folder, "RGB", (50, 50), number=1)))
    (folder / "odd.png").write_text("no picture")
    assert unlike(collection, GREY, parse(tiny()).pool) is None
    chosen = parse(tiny(pool={"size": 28, "channels": 1})).pool
    colour = sources.read("auto", str(write(tmp_path / "colour", "RGB", (50, 50))))
    assert unlike(colour, GREY, chosen) is None


def test_terminal_and_page_warn_name_the_table_and_what_to_label_next(
    copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(copied / "photos", "RGB", (40, 30))
    with caplog.at_level("INFO", "pt4al"):
        run(copied, "predict", predict={"path": "photos"})
    page = newest(copied, "08_reporting", "tiny", "predictions.html").read_text()
    table = "data/07_model_output/tiny/predictions.csv"
    assert "These pictures do not look like those that the model has learnt from: 10 of 10" in page
    assert table in page
    told = [record.getMessage() for record in caplog.records]
    assert sum("do not look like" in message for message in told) == 1
    assert any(message.startswith("least sure, to label next: RGB") for message in told)
    assert any(message.startswith("predictions: ") and message.endswith(table) for message in told)
