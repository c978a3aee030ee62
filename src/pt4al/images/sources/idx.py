"""Source `idx`: the files of MNIST and its successors (LeCun's IDX format, gzipped or not).

Where the files are missing, torchvision downloads Fashion-MNIST to the given folder.
"""

import gzip
import logging
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.sources.rows import BLOCK, check_labels, from_files, stream_rows, table

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
DOWNLOADED = Path("FashionMNIST", "raw")  # where torchvision puts the files
FASHION = [
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
]

logger = logging.getLogger(__name__)


def recognises(path: str) -> bool:
    """Say whether `path`, or its `FashionMNIST/raw`, holds the training images."""
    return _holder(Path(path)) is not None


def read(path: str) -> Collection:
    """Read the training split, and the test split if there is one.

    `path` holds the files, or its `FashionMNIST/raw` does. Classes are the labels' numbers, 0 to
    the highest; Fashion-MNIST, known by its folder's name, has words.

    Source: Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), MIT licence.
    """
    folder = _holder(Path(path)) or _download(Path(path))
    splits = ["train"]
    if any(_file(folder, name).exists() for name in FILES["test"]):
        splits.append("test")
    labels = {split: _labels(folder, split) for split in splits}
    named = folder.parent if folder.name == "raw" else folder
    if "fashion" in named.name.lower():
        classes = FASHION
    else:
        highest = max(int(part.max(initial=0)) for part in labels.values())
        classes = [str(number) for number in range(1 + highest)]
    tables = [_table(folder, split, labels[split], classes) for split in splits]
    files = [_file(folder, FILES[split][0]) for split in splits]
    return from_files(files, tables, classes, _pictures)


def _holder(path: Path) -> Path | None:
    folders = (path, path / DOWNLOADED)
    return next((folder for folder in folders if _file(folder, FILES["train"][0]).exists()), None)


def _download(path: Path) -> Path:
    from torchvision.datasets import FashionMNIST

    logger.info("Fashion-MNIST is not in %s: downloading it", path)
    try:
        FashionMNIST(path, download=True)
    except (RuntimeError, OSError) as error:
        names = ", ".join(name for pair in FILES.values() for name in pair)
        raise InputError(
            f"pool.source.path {path}: holds none of the files {names}, "
            f"and the download failed ({error})"
        ) from error
    return path / DOWNLOADED


def _table(folder: Path, split: str, labels: np.ndarray, classes: list[str]) -> pd.DataFrame:
    images, answers = (_file(folder, name) for name in FILES[split])
    check_labels(answers, labels.tolist(), len(classes))
    return table(images, split, np.array(classes)[labels], split)


def _labels(folder: Path, split: str) -> np.ndarray:
    images, answers = (_file(folder, name) for name in FILES[split])
    (count, *_) = _sizes(images, 3)
    (labelled,) = _sizes(answers, 1)
    if count != labelled:
        raise InputError(
            f"{folder}: {count} images in {images.name} but {labelled} labels in {answers.name}"
        )
    with _opened(answers) as stream:
        return np.frombuffer(stream.read()[-labelled:] if labelled else b"", np.uint8)


def _pictures(file: Path, rows: np.ndarray) -> Iterator[np.ndarray]:
    with _opened(file) as stream:
        _, _, *shape = np.frombuffer(stream.read(16), ">i4").tolist()
        yield from stream_rows(stream, rows, shape)


def _file(folder: Path, name: str) -> Path:
    """Return the file of a name, or of one in use beside it: `train-images.idx3-ubyte`, `.gz`."""
    names = (name, name.replace("-idx", ".idx"))
    places = [folder / f"{one}{ending}" for one in names for ending in ("", ".gz")]
    return next((place for place in places if place.exists()), places[1])


def _opened(file: Path) -> IO[bytes]:
    return gzip.open(file) if file.suffix == ".gz" else file.open("rb")


def _sizes(file: Path, dimensions: int) -> list[int]:
    """Check an IDX file and return its sizes.

    It holds a magic number (2 zero bytes, type 8, the number of dimensions), sizes, and bytes.
    """
    header = 4 * (dimensions + 1)
    try:
        with _opened(file) as stream:
            raw = stream.read(header)
            length = len(raw) + sum(len(block) for block in iter(lambda: stream.read(BLOCK), b""))
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file}: cannot be read ({error})") from error
    sizes = np.frombuffer(raw, ">i4", dimensions, 4).tolist() if len(raw) == header else []
    whole = raw[:4] == bytes([0, 0, 8, dimensions]) and length == header + math.prod(sizes)
    if not whole or min(sizes) < 0 or 0 in sizes[1:]:
        raise InputError(
            f"{file}: not a whole IDX file of {dimensions}-dimensional bytes ({length} bytes)"
        )
    return sizes
