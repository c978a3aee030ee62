"""A damaged source is read, or refused in one sentence: nothing else, whatever became of its files."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from pt4al.errors import InputError
from pt4al.images.decode import BadPicture, Frame, decode, decode_mask
from pt4al.images.sources import read
from pt4al.images.splits import divide
from pt4al.images.summary import summarise
from pt4al.images.survey import survey
from support.damage import LAYOUTS, copied, damage, write_source

TRIES = 6  # a layout: thousands were made by hand, all with this code
KINDS = {"table_parquet": "table"}


def use(kind: str, path: Path) -> None:
    """Do what a run does with a source before it trains."""
    collection = read(kind, str(path))
    divided = divide(collection, "auto")
    assert summarise(collection, divided, divided).sentence
    if len(collection):
        survey(collection, "auto", "auto", "crop", 255)
    for picture in collection.pictures(np.arange(len(collection))):
        with contextlib.suppress(BadPicture):
            decode(picture, Frame(3, 8, 8))
    if collection.masks is not None:
        for mask in collection.masks(np.flatnonzero(collection.masked)):
            with contextlib.suppress(BadPicture):
                decode_mask(mask, Frame(3, 8, 8))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_damaged_source_is_read_or_refused_in_words(tmp_path, layout):
    whole = write_source(layout, tmp_path / "whole")
    use("auto", whole)
    for number in range(TRIES):
        rng = np.random.default_rng([1, number])
        place = copied(whole, tmp_path / "whole", tmp_path / "copy")
        files = sorted(file for file in (tmp_path / "copy").rglob("*") if file.is_file())
        way = damage(files[int(rng.integers(len(files)))], rng)
        for kind in ("auto", KINDS.get(layout, layout)):
            try:
                use(kind, place)
            except InputError as told:
                assert str(tmp_path) in str(told) or layout == "imagenet", f"{way}: {told}"
