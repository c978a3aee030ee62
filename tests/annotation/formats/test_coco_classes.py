"""Classes of whole images as COCO, read with pycocotools."""

import json
from pathlib import Path

import pytest

from pt4al.annotation.formats.coco_classes import write_coco_classes
from pt4al.errors import InputError
from support.exports import labelled

LABELS = {"a/ü 1.jpg": "cat", "2": "dog", "3": "cat"}
SIZES = [("a/ü 1.jpg", 6, 4), ("2", 3, 9), ("3", 1, 1)]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
def test_pycocotools_reads_one_annotation_an_image(tmp_path: Path) -> None:
    tools = pytest.importorskip("pycocotools.coco", reason="needs the package pycocotools (dev)")
    write_coco_classes(tmp_path / "c.json", labelled(LABELS, ["dog", "cat", "owl"]), iter(SIZES))
    read = tools.COCO(str(tmp_path / "c.json"))
    names = {entry["id"]: entry["name"] for entry in read.loadCats(read.getCatIds())}
    assert list(names.values()) == ["dog", "cat", "owl"]
    for number in read.getImgIds():
        image = read.loadImgs(number)[0]
        (annotation,) = read.loadAnns(read.getAnnIds(number))
        assert names[annotation["category_id"]] == LABELS[image["file_name"]]
        assert annotation["bbox"] == [0, 0, image["width"], image["height"]]
        assert read.annToMask(annotation).shape == (image["height"], image["width"])
        assert read.annToMask(annotation).all()


def test_an_image_says_why_it_is_there_and_what_it_stands_for(tmp_path: Path) -> None:
    write_coco_classes(tmp_path / "c.json", labelled(LABELS), iter(SIZES))
    content = json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert [entry["weight"] for entry in content["images"]] == [4, 0, 4]
    assert [entry["why"] for entry in content["images"]] == ["control", "margin", "control"]
    assert "not a random sample" in content["info"]["description"]


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_coco_classes(tmp_path / "c.json", labelled(LABELS), iter(SIZES))
    assert (tmp_path / "c.json").read_text() == "mine"
