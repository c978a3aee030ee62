"""Folders of masks: what is written comes back; each file that can't be used is told, and the others count."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from pt4al.annotation.formats.mask_folder import ImageNames, read, write
from pt4al.annotation.formats.spreadsheet import changed
from pt4al.annotation.log import Answer, AnswerLog
from pt4al.errors import InputError
from pt4al.masks import encode

CLASSES, SIZE = ["road", "car", "sky"], (3, 4)
MASK = np.array([[0, 1, 2, 255], [0, 0, 0, 0], [1, 1, 1, 1]], np.uint8)
IDS = ["a/one.jpg", "b/two.png", "three", "x/same.png", "y/same.png"]


def numbers(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        return np.asarray(image)


def put(folder: Path, name: str, picture: Image.Image | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture) if isinstance(picture, bytes) else picture.save(path)


@given(st.lists(arrays(np.uint8, SIZE, elements=st.sampled_from([0, 1, 2, 255])), min_size=1, max_size=5))
def test_what_is_written_comes_back(tmp_path_factory: pytest.TempPathFactory, masks: list) -> None:
    folder = tmp_path_factory.mktemp("masks")
    given = dict(zip(IDS, masks, strict=False))
    assert write(folder, given.items()) == len(given)
    found, problems = read(folder, IDS, CLASSES, SIZE)
    labelled = {image: mask for image, mask in given.items() if (mask != 255).any()}
    assert {image: numbers(data).tolist() for image, data in found} == {
        image: mask.tolist() for image, mask in labelled.items()
    }
    assert set(problems["id"]) == set(given) - set(labelled)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("a/one.png", "a/one.jpg"),
        ("a/one.jpg.png", "a/one.jpg"),
        ("one.png", "a/one.jpg"),
        ("b/two.png", "b/two.png"),
        ("masks/b/two.PNG", "b/two.png"),
        ("masks/three.png", "three"),
        ("three.png", "three"),
        ("x/same.png", "x/same.png"),
    ],
)
def test_a_file_belongs_to_the_image_it_is_named_after(tmp_path: Path, name: str, image: str) -> None:
    put(tmp_path, "made.png", Image.fromarray(MASK))
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "made.png").rename(tmp_path / name)
    found, problems = read(tmp_path, IDS, CLASSES, SIZE)
    assert [one for one, _ in found] == [image]
    assert problems.empty


def test_an_id_that_is_the_whole_name_goes_before_those_that_end_so() -> None:
    names = ImageNames(["same.png", "y/same.png", "a.jpg", "a.gif", "v1.2"])
    assert names.find("same.png") == "same.png"
    assert names.find("y\\same.png") == "y/same.png"
    assert names.find("a.jpg") == "a.jpg"
    assert names.find("v1.2.png") == "v1.2"
    with pytest.raises(InputError, match=r"could be a mask of 'a\.gif', 'a\.jpg'"):
        names.find("a.png")


@pytest.mark.parametrize("name", ["c/one.png", "one/a.png", "v1.png", "", ".", "/", "a/", "ne.jpg"])
def test_a_name_that_only_looks_like_an_id_is_none(name: str) -> None:
    with pytest.raises(InputError, match="no image of this query"):
        ImageNames(["a/one.jpg", "v1.2"]).find(name)


def test_a_palette_has_numbers_and_not_colours(tmp_path: Path) -> None:
    palette = Image.fromarray(MASK).convert("L")
    palette.putpalette([200, 100, 50] * 256)
    put(tmp_path, "three.png", palette)
    ((_, data),), _ = read(tmp_path, IDS, CLASSES, SIZE)
    assert numbers(data).tolist() == MASK.tolist()


@pytest.mark.parametrize("bits", [2, 4])
def test_grey_levels_of_few_bits_are_numbers_too(tmp_path: Path, bits: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + (bytes([0b00011011]) if bits == 2 else bytes([0x01, 0x23]))  # the numbers 0, 1, 2, 3
    header = struct.pack(">IIBBBBB", 4, 1, bits, 0, 0, 0, 0)
    png_file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    put(tmp_path, "three.png", png_file)
    ((_, data),), _ = read(tmp_path, IDS, [*CLASSES, "tree"], (1, 4))
    assert numbers(data).tolist() == [[0, 1, 2, 3]]


def test_values_to_be_ignored_have_no_class(tmp_path: Path) -> None:
    put(tmp_path, "three.png", Image.fromarray(MASK))
    ((_, data),), _ = read(tmp_path, IDS, CLASSES[:2], SIZE, ignored=[2, 0])
    assert numbers(data).tolist() == [[255, 1, 255, 255], [255] * 4, [1] * 4]


def test_a_mask_of_another_size_is_made_to_fit_by_who_knows_how(tmp_path: Path) -> None:
    put(tmp_path, "three.png", Image.fromarray(MASK.repeat(2, 0).repeat(2, 1)))
    ((_, data),), problems = read(tmp_path, IDS, CLASSES, SIZE, fit=lambda file: numbers(file)[::2, ::2])
    assert numbers(data).tolist() == MASK.tolist()
    assert problems.empty


BROKEN = {
    "no image of the query": ("nine.png", Image.fromarray(MASK), "is no image of this query"),
    "two ids end so": ("same.png", Image.fromarray(MASK), "could be a mask of 'x/same.png', 'y/same.png'"),
    "another size": (
        "three.png",
        Image.fromarray(MASK.T),
        "is 4 pixels high and 3 wide, the pool's images are 3 and 4",
    ),
    "a number that is no class": (
        "three.png",
        Image.fromarray(np.where(MASK == 2, 7, MASK).astype(np.uint8)),
        "holds the value 7 (first in row 0, column 2), but the classes are 0 to 2",
    ),
    "colours": ("three.png", Image.new("RGB", (4, 3)), "is a picture of mode RGB"),
    "16 bits": ("three.png", Image.fromarray(MASK.astype(np.uint16)), "is a picture of mode I;16"),
    "nothing labelled": ("three.png", Image.new("L", (4, 3), 255), "no pixel has a class"),
    "no picture": ("three.png", b"hello", "can't be read as PNG"),
    "an empty file": ("three.png", b"", "can't be read as PNG"),
    "half a file": ("three.png", encode(np.tile(MASK, (50, 50)))[:60], "can't be read as PNG"),
    "another format": ("three.jpg", Image.new("L", (4, 3)), ".jpg files are not read"),
}


@pytest.mark.parametrize("name, picture, told", BROKEN.values(), ids=BROKEN)
def test_a_broken_mask_is_told_and_the_good_one_kept(tmp_path: Path, name: str, picture, told: str) -> None:
    put(tmp_path, "one.png", Image.fromarray(MASK))
    put(tmp_path, name, picture)
    put(tmp_path, ".hidden.png", b"of no interest")
    put(tmp_path, "classes.txt", b"road car sky")
    found, problems = read(tmp_path, IDS, CLASSES, SIZE)
    assert [image for image, _ in found] == ["a/one.jpg"]
    assert list(problems["file"]) == [name]
    assert told in problems["problem"].iloc[0]
    assert str(tmp_path) not in problems["problem"].iloc[0]


def test_two_masks_of_one_image_are_both_refused(tmp_path: Path) -> None:
    put(tmp_path, "one.png", Image.fromarray(MASK))
    put(tmp_path, "a/one.png", Image.fromarray(MASK))
    put(tmp_path, "three.png", Image.fromarray(MASK))
    found, problems = read(tmp_path, IDS, CLASSES, SIZE)
    assert [image for image, _ in found] == ["three"]
    assert list(problems["file"]) == ["a/one.png", "one.png"]
    assert set(problems["problem"]) == {"is one of 2 masks of this image (a/one.png, one.png): none is taken"}


def test_no_folder_a_file_and_no_masks_are_messages(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for name, told in (("none", "no such folder"), ("file", "is a file"), ("empty", "holds no PNG file")):
        with pytest.raises(InputError, match=told):
            read(tmp_path / name, IDS, CLASSES, SIZE)


@pytest.mark.parametrize("image", ["../a", "/a", "a/../../b"])
def test_nothing_is_written_outside_the_folder(tmp_path: Path, image: str) -> None:
    with pytest.raises(InputError, match="no name of a file inside"):
        write(tmp_path / "masks", [(image, MASK)])
    assert not list(tmp_path.iterdir())


def test_a_mask_is_not_written_over_another(tmp_path: Path) -> None:
    for _ in range(2):
        write(tmp_path, [("a", MASK)])
    with pytest.raises(InputError, match="is another mask"):
        write(tmp_path, [("a", MASK.T)])


def test_masks_read_again_add_nothing_to_the_log_and_one_painted_anew_does(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path / "log")
    for mask, added in ((MASK, 1), (MASK, 0), (MASK[::-1], 1), (MASK, 1)):
        put(tmp_path / "masks", "three.png", Image.fromarray(mask))
        found, _ = read(tmp_path / "masks", IDS, CLASSES, SIZE)
        answers = [Answer(id=one, label=log.keep_mask(file), annotator="ada", source="file") for one, file in found]
        assert log.add(changed(answers, log.read())) == added
    assert numbers(log.mask(log.read()["label"].iloc[-1])).tolist() == MASK.tolist()
