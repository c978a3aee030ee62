"""COCO: what is written comes back, runs are those of pycocotools, and each region that can't be used is told."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from pt4al.annotation.formats.coco import read, write
from pt4al.annotation.formats.coco_regions import from_runs, inside
from pt4al.errors import InputError

CLASSES, SIZE = ["road", "car", "sky"], (4, 6)
IDS = {"a/one.jpg": "1", "b/two.jpg": "2"}
FILE = Path(__file__).parent / "exports" / "coco_runs.json"

LEFT = [0, 0, 3, 0, 3, 4, 0, 4]
RIGHT = [3, 0, 6, 0, 6, 4, 3, 4]


def numbers(data: bytes) -> list:
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        return np.asarray(image).tolist()


def content(*regions: dict, **more: Any) -> dict:
    images = [{"id": 1, "file_name": "one.jpg", "height": 4, "width": 6}]
    images.append({"id": 2, "file_name": "two.jpg", "height": 4, "width": 6})
    categories = [{"id": 7, "name": "road"}, {"id": 3, "name": "car"}, {"id": 9, "name": "tram"}]
    annotations = [{"id": 10 + number, "image_id": 1, "category_id": 7} | one for number, one in enumerate(regions)]
    return {"images": images, "annotations": annotations, "categories": categories} | more


def read_back(folder: Path, what: object, **settings: Any) -> tuple[dict, list]:
    path = folder / "instances.json"
    path.write_text(what if isinstance(what, str) else json.dumps(what))
    found, problems = read(path, IDS, CLASSES, SIZE, **settings)
    return {image: numbers(data) for image, data in found}, problems.to_dict("records")


@given(st.lists(arrays(np.uint8, SIZE, elements=st.sampled_from([0, 1, 2, 255])), max_size=2))
def test_what_is_written_comes_back(tmp_path_factory: pytest.TempPathFactory, masks: list) -> None:
    path = tmp_path_factory.mktemp("coco") / "masks.json"
    assert write(path, zip(IDS, masks, strict=False), CLASSES) == len(masks)
    found, problems = read(path, IDS, CLASSES, SIZE)
    expected = {image: mask.tolist() for image, mask in zip("12", masks, strict=False) if (mask != 255).any()}
    assert {image: numbers(data) for image, data in found} == expected
    assert problems.empty


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # its own
def test_pycocotools_reads_the_file_and_gives_the_same_masks(tmp_path: Path) -> None:
    tools = pytest.importorskip("pycocotools.coco", reason="needs the package pycocotools (dev)")
    masks = np.array([[[0, 0, 1, 1, 255, 2], [0, 1, 1, 255, 2, 2]] * 2, np.full(SIZE, 2)], np.uint8)
    write(tmp_path / "masks.json", zip(IDS, masks, strict=True), CLASSES)
    file = tools.COCO(tmp_path / "masks.json")
    for number, (name, mask) in enumerate(zip(IDS, masks, strict=True), start=1):
        assert file.loadImgs(number)[0]["file_name"] == name
        for region in file.loadAnns(file.getAnnIds(imgIds=number)):
            value = CLASSES.index(file.loadCats(region["category_id"])[0]["name"])
            assert (file.annToMask(region) == (mask == value)).all()
        assert len(file.getAnnIds(imgIds=number)) == len(np.unique(mask[mask != 255]))


@pytest.mark.parametrize("one", json.loads(FILE.read_text()), ids=lambda one: one["counts"][:12])
def test_runs_are_those_of_pycocotools(one: dict) -> None:
    expected = np.array([[sign == "1" for sign in row] for row in one["rows"]])
    height, width = one["size"]
    assert (from_runs({"size": one["size"], "counts": one["counts"]}, height, width) == expected).all()
    down = expected.T.ravel()
    ends = [0, *(np.flatnonzero(np.diff(down, prepend=False))), down.size]
    assert (from_runs({"size": one["size"], "counts": np.diff(ends).tolist()}, height, width) == expected).all()


@given(array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(lambda shape: arrays(bool, shape)))
def test_a_polygon_round_each_row_of_pixels_covers_them(mask: np.ndarray) -> None:
    covered = np.zeros_like(mask)
    for row, column in np.argwhere(mask):
        covered |= inside([column, row, column + 1, row, column + 1, row + 1, column, row + 1], *mask.shape)
    assert (covered == mask).all()


def test_regions_are_painted_one_over_the_other_and_the_rest_has_no_class_or_the_background(tmp_path: Path) -> None:
    hole = {"category_id": 3, "segmentation": {"size": [4, 6], "counts": [0, 4, 20]}, "iscrowd": 1}
    both = content({"segmentation": [LEFT]}, hole)
    found, problems = read_back(tmp_path, both)
    assert (found, problems) == ({"1": [[1, 0, 0, 255, 255, 255]] * 4}, [])
    assert read_back(tmp_path, both, background="sky")[0] == {"1": [[1, 0, 0, 2, 2, 2]] * 4}
    assert read_back(tmp_path, content({"segmentation": [LEFT, RIGHT]}))[0] == {"1": [[0] * 6] * 4}
    with pytest.raises(InputError, match=r"background 'skye' is no class: did you mean 'sky'\?"):
        read_back(tmp_path, both, background="skye")


def test_a_mask_of_another_size_is_made_to_fit_by_who_knows_how(tmp_path: Path) -> None:
    big = content({"segmentation": [[2 * side for side in LEFT]]})
    big["images"][0] |= {"height": 8, "width": 12}
    found, problems = read_back(tmp_path, big, fit=lambda file: np.array(numbers(file), np.uint8)[::2, ::2])
    assert (found, problems) == ({"1": [[0, 0, 0, 255, 255, 255]] * 4}, [])
    assert "is 8 pixels high and 12 wide" in read_back(tmp_path, big)[1][0]["problem"]


BROKEN = {
    "no class": ({"category_id": 9}, "is of category 'tram', which is no class"),
    "no category": ({"category_id": 1}, "has category 1, which the file does not name"),
    "a box alone": ({"segmentation": []}, "has no outline"),
    "no outline": ({"segmentation": None}, "has no outline"),
    "two corners": ({"segmentation": [[0, 0, 1, 1]]}, "has the polygon [0, 0, 1, 1]: it must be"),
    "half a corner": ({"segmentation": [[*LEFT, 1]]}, "has the polygon"),
    "a polygon not in a list": ({"segmentation": LEFT}, "has the polygon 0: it must be"),
    "words": ({"segmentation": [["a"] * 6]}, "has the polygon"),
    "no number": ({"segmentation": [[float("nan")] * 6]}, "has the polygon"),
    "runs of another size": (
        {"segmentation": {"size": [6, 4], "counts": [24]}},
        "has runs for height and width [6, 4]",
    ),
    "too few runs": ({"segmentation": {"size": [4, 6], "counts": [3, 4]}}, "has runs for 7 pixels, its image has 24"),
    "negative runs": ({"segmentation": {"size": [4, 6], "counts": [30, -6]}}, "has the runs [30, -6]"),
    "no runs": ({"segmentation": {"size": [4, 6]}}, "has the runs None"),
    "text that is none": ({"segmentation": {"size": [4, 6], "counts": "é"}}, "of which 'é' can't be"),
    "text that is cut": ({"segmentation": {"size": [4, 6], "counts": "P"}}, "end in the middle of a number"),
    "empty text": ({"segmentation": {"size": [4, 6], "counts": ""}}, "has runs for 0 pixels"),
    "endless text": ({"segmentation": {"size": [4, 6], "counts": "o" * 9999}}, "can't be"),
}


@pytest.mark.parametrize("region, told", BROKEN.values(), ids=BROKEN)
def test_a_broken_region_is_told_and_costs_its_image_alone(tmp_path: Path, region: dict, told: str) -> None:
    good = {"segmentation": [LEFT]}
    found, problems = read_back(tmp_path, content(good, good | region, good | {"image_id": 2}))
    assert list(found) == ["2"]
    assert [(one["file"], one["annotation"], one["id"]) for one in problems] == [("one.jpg", "11", "1")]
    assert told in problems[0]["problem"]


IMAGES = {
    "not asked for": ({"file_name": "three.jpg"}, "'three.jpg' is no image of this query"),
    "without a name": ({"file_name": None}, "'None' is no image of this query"),
    "without a height": ({"height": None}, "has height None and width 6"),
    "endless": ({"height": 10**9, "width": 10**9}, "has height 1000000000 and width 1000000000"),
}


@pytest.mark.parametrize("image, told", IMAGES.values(), ids=IMAGES)
def test_a_broken_image_is_told_and_the_good_one_kept(tmp_path: Path, image: dict, told: str) -> None:
    whole = content({"segmentation": [LEFT], "image_id": 2}, {"segmentation": [LEFT], "image_id": 1})
    whole["images"] = [whole["images"][1], whole["images"][0] | image]
    found, problems = read_back(tmp_path, whole)
    assert list(found) == ["2"]
    assert any(told in one["problem"] for one in problems)


def test_a_region_without_an_image_is_told(tmp_path: Path) -> None:
    _, problems = read_back(tmp_path, content({"image_id": 8, "segmentation": [LEFT]}))
    told = [(one["annotation"], one["problem"]) for one in problems]
    assert told == [("10", "is on image 8, which the file has 0 times: once is right")]


def test_an_image_that_is_there_twice_is_refused_twice(tmp_path: Path) -> None:
    twice = content({"segmentation": [LEFT]}, {"segmentation": [LEFT], "image_id": 2})
    twice["images"][1]["file_name"] = "a/one.jpg"
    found, problems = read_back(tmp_path, twice)
    assert found == {}
    assert {one["problem"] for one in problems} == {
        "is one of 2 masks of this image (one.jpg, a/one.jpg): none is taken"
    }
    twice["images"][1] = twice["images"][0] | {"file_name": "b/two.jpg"}
    found, problems = read_back(tmp_path, twice)
    assert found == {}
    assert "is on image 1, which the file has 2 times" in problems[0]["problem"]


def test_a_region_outside_its_image_leaves_it_without_a_class(tmp_path: Path) -> None:
    found, problems = read_back(tmp_path, content({"segmentation": [[90, 90, 99, 90, 99, 99]]}))
    assert found == {}
    assert "no pixel has a class" in problems[0]["problem"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no JSON file"),
        ('{"images": [', "is no JSON file"),
        ("[" * 100_000, "is no JSON file"),
        ("[]", "needs a list `images`"),
        ('{"images": {}, "annotations": [], "categories": []}', "needs a list `images`"),
        ('{"images": [], "annotations": [1], "categories": []}', "needs a list `annotations`"),
        ('{"images": [], "annotations": []}', "needs a list `categories`"),
    ],
)
def test_a_file_that_is_none_is_one_message(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_back(tmp_path, text)


def test_a_missing_file_a_folder_and_another_encoding_are_messages(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe4"}')
    for name, told in (("no.json", "no such file"), (".", "is a folder"), ("latin.json", "is no JSON file")):
        with pytest.raises(InputError, match=told):
            read(tmp_path / name, IDS, CLASSES, SIZE)


def test_images_to_be_labelled_are_written_again_and_regions_are_not_written_over(tmp_path: Path) -> None:
    path, nothing = tmp_path / "query.json", np.full(SIZE, 255, np.uint8)
    for _ in range(2):
        assert write(path, [("a/one.jpg", nothing)], CLASSES) == 1
    written = json.loads(path.read_text())
    assert written["annotations"] == []
    assert [one["name"] for one in written["categories"]] == CLASSES
    write(path, [("a/one.jpg", np.zeros(SIZE, np.uint8))], CLASSES)
    with pytest.raises(InputError, match="has regions in it"):
        write(path, [("a/one.jpg", nothing)], CLASSES)
