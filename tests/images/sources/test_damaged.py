"""A damaged source is read, or refused in one sentence: nothing else, whatever became of its files."""

import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pt4al.errors import InputError
from pt4al.images.decode import Frame, decode, decode_mask
from pt4al.images.opening import BadPicture
from pt4al.images.sources import read
from pt4al.images.splits import divide
from pt4al.images.summary import summarise
from pt4al.images.survey import infer_frame
from support.damage import LAYOUTS, copied, damage, write_source

TRIES = 6  # a layout: thousands were made by hand, all with this code
KINDS = {"table_parquet": "table"}


def use(kind: str, path: Path) -> None:
    """Do what a run does with a source before it trains."""
    collection = read(kind, str(path))
    divided = divide(collection, "auto")
    assert summarise(collection, divided, divided).sentence
    if len(collection):
        infer_frame(collection, "auto", "auto", "crop", 255)
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


def test_sizes_that_files_state_are_not_believed(tmp_path):
    for name, sizes in {"wrapped": (2**31 - 1,) * 3, "negative": (-1, -64, 3), "empty": (3, 0, 0)}.items():
        folder = tmp_path / name
        folder.mkdir()
        header = bytes([0, 0, 8, 3]) + np.array(sizes, ">i4").tobytes()
        (folder / "train-images-idx3-ubyte").write_bytes(header + bytes(192 if name == "negative" else 0))
        (folder / "train-labels-idx1-ubyte").write_bytes(
            bytes([0, 0, 8, 1]) + np.array([3], ">i4").tobytes() + b"\0\1\2"
        )
        with pytest.raises(InputError, match="not a whole IDX file"):
            use("auto", folder)


@pytest.mark.parametrize("name", ["data", "labels"])
@pytest.mark.parametrize("rows", [0, 10**13])
def test_rows_that_an_array_states_are_not_believed(tmp_path, name, rows):
    arrays = {"data": np.zeros((2, 192), np.uint8), "labels": np.ones(2, np.int64)}
    with zipfile.ZipFile(tmp_path / "train_data_batch_1.npz", "w") as archive:
        for key, array in arrays.items():
            raw = io.BytesIO()
            shape = (rows, *array.shape[1:]) if key == name else array.shape
            header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(raw, header)
            archive.writestr(f"{key}.npy", raw.getvalue() + array.tobytes())
    with pytest.raises(InputError, match=r"train_data_batch_1\.npz"):
        use("auto", tmp_path)


def test_rows_that_a_parquet_file_states_are_not_believed(tmp_path):
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(pa.table({"image": pa.nulls(100_000, kind)}), tmp_path / "train.parquet")
    with pytest.raises(InputError, match="states 100,000 rows, more than it has bytes"):
        read("parquet", str(tmp_path))


def test_picture_that_is_cut_out_of_a_source_meanwhile_is_one_sentence(tmp_path):
    whole = write_source("parquet", tmp_path)
    collection = read("auto", str(whole))
    content = (whole / "train.parquet").read_bytes()
    (whole / "train.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"train\.parquet"):
        list(collection.pictures(np.arange(4)))
