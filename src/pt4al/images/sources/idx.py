"""Source `idx`: the four files of MNIST and its successors (LeCun's IDX format, gzipped or not).

Where the files are missing, torchvision downloads Fashion-MNIST to the given folder.
"""

import gzip
import logging
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.images.collection import Collection

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
FASHION = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]

logger = logging.getLogger(__name__)


def read(path: Path, split: str) -> Collection:
    """Read one split; `path` holds the files, or its `FashionMNIST/raw` does.

    Source: Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), MIT licence.
    """
    images_name, labels_name = FILES[split]
    folder = _folder(Path(path), images_name)
    images, labels = _array(folder, images_name, 3), _array(folder, labels_name, 1)
    if len(images) != len(labels):
        raise InputError(f"{folder}: {len(images)} images in {images_name} but {len(labels)} labels in {labels_name}")
    if (labels >= len(FASHION)).any():
        row = int(np.argmax(labels >= len(FASHION)))
        where = f"{folder / labels_name}: row {row}"
        raise InputError(f"{where} has label {labels[row]}, but there are {len(FASHION)} classes")
    index = pd.DataFrame(
        {
            "id": [f"{split}/{row:05d}" for row in range(len(images))],
            "source": str(folder / images_name),
            "split": split,
            "label": [FASHION[label] for label in labels],
        }
    )
    return Collection(index, FASHION, lambda rows: (images[row] for row in rows))


def _folder(path: Path, name: str) -> Path:
    for folder in (path, path / "FashionMNIST" / "raw"):
        if any((folder / f"{name}{ending}").exists() for ending in ("", ".gz")):
            return folder
    return _download(path)


def _download(path: Path) -> Path:
    from torchvision.datasets import FashionMNIST

    logger.info("Fashion-MNIST is not in %s: downloading it", path)
    try:
        FashionMNIST(path, download=True)
    except (RuntimeError, OSError) as error:
        raise InputError(
            f"pool.source.path {path}: holds none of the files {', '.join(sum(FILES.values(), ()))}, "
            f"and the download failed ({error})"
        ) from error
    return path / "FashionMNIST" / "raw"


def _array(folder: Path, name: str, dimensions: int) -> np.ndarray:
    """Read one IDX file: magic number (2 zero bytes, type 8, dimensions), sizes, bytes."""
    path = folder / name if (folder / name).exists() else folder / f"{name}.gz"
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    sizes = np.frombuffer(raw, ">i4", dimensions, 4).tolist() if len(raw) >= 4 * (dimensions + 1) else []
    if raw[:4] != bytes([0, 0, 8, dimensions]) or len(raw) != 4 * (dimensions + 1) + int(np.prod(sizes)):
        raise InputError(f"{path}: not a whole IDX file of {dimensions}-dimensional bytes ({len(raw)} bytes)")
    return np.frombuffer(raw, np.uint8, offset=4 * (dimensions + 1)).reshape(sizes)
