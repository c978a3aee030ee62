"""Pictures as the files that they were."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.errors import InputError
from pt4al.images.collection import COLUMNS, Collection
from pt4al.images.originals import originals, sizes


def encoded(kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (5, 3)).save(file, kind, **options)
    return file.getvalue()


def collection(**pictures) -> Collection:
    index = pd.DataFrame({name: list(pictures) if name == "id" else None for name in COLUMNS}, dtype="str")
    held = list(pictures.values())
    return Collection(index, [], lambda rows: (held[row] for row in rows))


def test_files_come_byte_for_byte_and_pixels_as_png() -> None:
    photo = encoded("JPEG")
    source = collection(**{"a.JPEG": photo, "b": lambda: photo, "c": np.full((2, 3), 7, np.uint8), "d.jpg": b""})
    read = list(originals(source, pd.Series(["c", "b", "a.JPEG"])))
    assert [(image, suffix) for image, suffix, _ in read] == [("a.JPEG", ".JPEG"), ("b", ".jpg"), ("c", ".png")]
    assert read[0][2] == read[1][2] == photo
    assert (np.asarray(Image.open(io.BytesIO(read[2][2]))) == 7).all()


def test_a_file_of_a_wrong_name_gets_the_suffix_of_what_it_is() -> None:
    ((_, suffix, _),) = originals(collection(**{"a.jpg": encoded("PNG")}), pd.Series(["a.jpg"]))
    assert suffix == ".png"


def test_sizes_are_those_of_the_picture_held_upright() -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    source = collection(a=encoded("JPEG"), b=encoded("JPEG", exif=exif), c=np.zeros((4, 9, 3), np.uint8))
    assert list(sizes(source, pd.Series(["a", "b", "c"]))) == [("a", 5, 3), ("b", 3, 5), ("c", 9, 4)]


def test_an_image_that_is_gone_is_named_before_any_is_read() -> None:
    with pytest.raises(InputError, match="the first is 'x'"):
        originals(collection(a=encoded("PNG")), pd.Series(["a", "x"]))


def test_a_picture_that_is_damaged_is_named() -> None:
    with pytest.raises(InputError, match="picture 'a' can't be read"):
        list(originals(collection(a=b"nothing"), pd.Series(["a"])))
