"""Small sources of every layout, and ways in which a disk, a download or a person damages their files."""

import gzip
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from support.layouts import patch, save, write_caltech101, write_cityscapes, write_class_folders
from support.layouts_imagenet import write_imagenet_folders, write_imagenet_npz
from support.pictures import encoded

TYPES = (
    b"",
    b"PK\x03\x04 an archive",
    b"\x89PNG\r\n\x1a\n",
    b"PAR1PAR1",
    b"\x1f\x8b\x08",
    b"\0" * 64,
    b"{}\n",
    b"id;label\n",
)


def write_source(layout: str, folder: Path) -> Path:
    """Write a small, whole source; return the path that a person would name."""
    rng = np.random.default_rng(0)
    if layout == "folders":
        return write_class_folders(folder, rng, pictures=2, splits=("train", "test"), size=(8, 8))
    if layout == "flat":
        return write_class_folders(folder, rng, ("photos",), pictures=3, size=(8, 8)) / "photos"
    if layout == "caltech101":
        return write_caltech101(folder, rng, ("Faces", "yin_yang"), pictures=1, tar=True)
    if layout == "cityscapes":
        return write_cityscapes(folder, rng, pictures=1, splits=("train", "val"), size=(8, 16))
    if layout == "imagenet":
        write_imagenet_folders(folder, rng)
    elif layout == "imagenet_npz":
        write_imagenet_npz(folder, rng)
    else:
        return {"table": _csv, "table_parquet": _table, "parquet": _parquet, "idx": _idx, "cifar": _cifar}[layout](
            folder
        )
    return folder


LAYOUTS = (
    *("folders", "flat", "table", "table_parquet", "parquet", "idx", "cifar", "caltech101", "cityscapes", "imagenet"),
    "imagenet_npz",
)


def damage(file: Path, rng: np.random.Generator) -> str:
    """Damage a file in one of many ways; return which."""
    content = file.read_bytes()
    way = str(rng.choice(["empty", "cut", "bit", "bits", "zeros", "longer", "other", "folder", "gone", "swapped"]))
    changed = bytearray(content)
    if way == "cut":
        changed = changed[: int(rng.integers(len(changed)))] if changed else changed
    elif way in ("bit", "bits") and changed:
        for place in rng.integers(len(changed), size=1 if way == "bit" else 20):
            changed[place] ^= 1 << int(rng.integers(8))
    elif way == "zeros" and changed:
        first = int(rng.integers(len(changed)))
        changed[first : first + 16] = bytes(len(changed[first : first + 16]))
    elif way == "longer":
        changed += rng.bytes(100)
    elif way in ("empty", "other"):
        changed = bytearray(b"" if way == "empty" else TYPES[int(rng.integers(len(TYPES)))])
    elif way == "swapped":
        half = len(changed) // 2
        changed = changed[half:] + changed[:half]
    file.unlink()
    if way == "folder":
        file.mkdir()
    elif way != "gone":
        file.write_bytes(bytes(changed))
    return way


def _csv(folder: Path) -> Path:
    _album(folder)
    (folder / "table.csv").write_text("path,label,split\na.jpg,cat,train\nb.jpg,dog,train\nc.jpg,dog,test\n")
    return folder / "table.csv"


def _table(folder: Path) -> Path:
    _album(folder)
    content = {"path": ["a.jpg", "b.jpg", "c.jpg"], "label": ["cat", "dog", None]}
    pd.DataFrame(content).to_parquet(folder / "table.parquet")
    return folder / "table.parquet"


def _album(folder: Path) -> None:
    for number, name in enumerate(("a.jpg", "b.jpg", "c.jpg")):
        save(patch(np.random.default_rng(number), 0, 1, (8, 8)), folder / name)


def _parquet(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [encoded(patch(np.random.default_rng(number), 0, 1, (8, 8))) for number in range(4)]
    image = pa.array([{"bytes": picture, "path": None} for picture in pictures])
    table = pa.table({"image": image, "label": [0, 1, 0, None]})
    hub = b'{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    for name in ("train", "test"):
        pq.write_table(
            table.replace_schema_metadata({b"huggingface": hub}), folder / f"{name}.parquet", row_group_size=2
        )
    return folder


def _idx(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "t10k"):
        images, labels = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8), np.arange(3, dtype=np.uint8)
        header = bytes([0, 0, 8, 3]) + np.array(images.shape, ">i4").tobytes()
        (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + images.tobytes()))
        header = bytes([0, 0, 8, 1]) + np.array(labels.shape, ">i4").tobytes()
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    return folder


def _cifar(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        batch = {"data": rng.integers(0, 256, (2, 3072), np.uint8), "labels": [0, 1]}
        (folder / name).write_bytes(pickle.dumps(batch))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["cat", "dog"]}))
    return folder


def copied(source: Path, root: Path, to: Path) -> Path:
    """Copy a source below `root` to a folder of its own; return its path there."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(root, to)
    return to / source.relative_to(root)


Damage = Callable[[Path, np.random.Generator], str]
