"""A data set with its card, read as whoever gets it would."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from pt4al.annotation.formats.hugging_face import write_data_set
from pt4al.errors import InputError
from support.exports import files, labelled

# Names that stand for splits, and numbers with zeros in front, must come through as they are.
LABELS = {"test/0001.jpg": "007", "val_2.png": "cat: a", "b/0001.jpg": "007", "c/ü.png": "validation"}


def test_load_dataset_reads_pictures_and_all_that_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="needs the package datasets (dev)")
    datasets.disable_progress_bars()
    labels = labelled(LABELS)
    write_data_set(tmp_path / "out", labels, files(labels))
    for place in ({"path": "imagefolder", "data_dir": str(tmp_path / "out")}, {"path": str(tmp_path / "out")}):
        read = datasets.load_dataset(**place, cache_dir=str(tmp_path / "cache"))
        assert list(read) == ["train"]
        rows = {row["id"]: row for row in read["train"]}
        assert {image: row["label"] for image, row in rows.items()} == LABELS
        assert [rows[image]["image"].getpixel((0, 0)) for image in LABELS] == [0, 1, 2, 3]
        assert [rows[image]["weight"] for image in LABELS] == [4, 0, 4, 0]
        assert rows["val_2.png"]["why"] == "margin"


def test_the_table_names_a_file_for_each_image(tmp_path: Path) -> None:
    labels = labelled(LABELS)
    write_data_set(tmp_path / "out", labels, files(labels))
    table = pd.read_parquet(tmp_path / "out/train/metadata.parquet")
    assert dict(zip(table["id"], table["label"], strict=True)) == LABELS
    assert all((tmp_path / "out/train" / name).is_file() for name in table["file_name"])
    assert table["file_name"].is_unique


def test_the_card_warns_that_this_is_no_random_sample_and_says_who_asked_for_what(tmp_path: Path) -> None:
    labels = labelled(LABELS, classes=["007", "cat: a", "validation", "never | seen"])
    write_data_set(tmp_path / "out", labels, files(labels))
    _, header, text = (tmp_path / "out/README.md").read_text("utf-8").split("---\n", 2)
    read = yaml.safe_load(header)
    assert read["class_names"] == ["007", "cat: a", "validation", "never | seen"]
    assert read["size_categories"] == ["n<1K"]
    assert "not a random sample: a strategy chose 2 of 4" in text
    assert "`weight` says how many images of the pool an image stands for" in text
    assert "| 007 | 2 |" in text
    assert "| never \\| seen | 0 |" in text
    assert "| 1 | margin | 1 |" in text
    assert "run `mine`" in text


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    labels = labelled(LABELS)
    with pytest.raises(InputError, match="is there already"):
        write_data_set(tmp_path / "out", labels, files(labels))
    assert (tmp_path / "out").read_text() == "mine"
