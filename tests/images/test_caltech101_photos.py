"""The photos of Caltech-101 that ship, and the script that makes them: their number, splits, size and attribution."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from pt4al.images.sources.parquet import read
from support.odd_pictures import photo

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "data/01_raw/caltech101_photos"
CLASSES = ("airplanes", "bonsai", "watch")
EACH = 8


def jpeg(seed: int, side: int = 100) -> bytes:
    file = io.BytesIO()
    photo(seed, (side, side)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """What the script makes of a small archive, and that archive's files: one is large, one there twice."""
    folder = tmp_path_factory.mktemp("photos")
    names = [f"{name}/image_{number:04d}.jpg" for name in (*CLASSES, "Faces") for number in range(EACH)]
    files = {name: jpeg(seed) for seed, name in enumerate(names)}
    files["watch/image_0001.jpg"] = jpeg(1000, side=300)
    files["watch/image_9999.jpg"] = files["watch/image_0000.jpg"]
    with tarfile.open(folder / "101_ObjectCategories.tar", "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"101_ObjectCategories/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    script = [sys.executable, str(ROOT / "data/make_caltech101_photos.py")]
    subprocess.run([*script, str(folder / "101_ObjectCategories.tar"), str(folder / "out")], check=True)
    return folder / "out", files


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The rows of each split: `bytes`, `path`, `label`."""
    found = {}
    for split in ("train", "test"):
        table = pd.read_parquet(folder / f"{split}.parquet")
        found[split] = pd.DataFrame(list(table["image"])).assign(label=table["label"])
    return found


def test_a_quarter_of_each_class_is_for_the_test_and_other_classes_are_left_out(made):
    counts = {split: list(table["label"].value_counts()) for split, table in tables(made[0]).items()}
    assert counts == {"train": [EACH - 2] * len(CLASSES), "test": [2] * len(CLASSES)}


def test_pictures_are_the_archives_to_the_byte_unless_they_are_large(made):
    both = pd.concat(tables(made[0]).values())
    changed = both[~both["bytes"].isin(list(made[1].values()))]
    assert [Image.open(io.BytesIO(encoded)).size for encoded in changed["bytes"]] == [(112, 112)]


def test_names_tell_no_class(made):
    names = pd.concat(tables(made[0]).values())["path"]
    assert names.is_unique
    assert not names.str.contains("|".join(CLASSES)).any()


def test_the_source_is_read_with_its_classes_and_says_whose_it_is(made):
    collection = read(str(made[0]))
    assert set(CLASSES) < set(collection.classes)
    assert len(collection.classes) == 24
    check_attribution(made[0])


def check_attribution(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    for said in ("Fei-Fei Li", "Andreeto", "Ranzato", "Perona", "CC BY 4.0", "10.22002/D1.20086", "112 pixels"):
        assert said in text


@pytest.mark.skipif(not SHIPPED.exists(), reason="the photos are not there: data/make_caltech101_photos.py")
def test_photos_that_ship_are_2180_of_24_classes_small_and_different():
    splits = tables(SHIPPED)
    assert {split: len(table) for split, table in splits.items()} == {"train": 1632, "test": 548}
    both = pd.concat(splits.values(), ignore_index=True)
    assert not both["bytes"].duplicated().any()
    assert not both["path"].duplicated().any()
    sizes = [Image.open(io.BytesIO(encoded)).convert("RGB").size for encoded in both["bytes"]]
    assert max(map(max, sizes)) == 112
    assert both["label"].nunique() == splits["test"]["label"].nunique() == 24
    assert both["label"].value_counts().between(70, 110).all()
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 8e6
    check_attribution(SHIPPED)
