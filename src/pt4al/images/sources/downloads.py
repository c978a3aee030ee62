"""Sources `download_...`: data sets that torchvision downloads where they are missing."""

import logging
from collections.abc import Callable
from pathlib import Path

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.sources import caltech101 as caltech
from pt4al.images.sources import cifar, idx

logger = logging.getLogger(__name__)


def cifar10(path: str) -> Collection:
    """Read CIFAR-10 from `<path>/cifar-10-batches-py`."""
    return _read(path, "cifar-10-batches-py", "CIFAR10", cifar.recognises, cifar.read)


def cifar100(path: str) -> Collection:
    """Read CIFAR-100 from `<path>/cifar-100-python`."""
    return _read(path, "cifar-100-python", "CIFAR100", cifar.recognises, cifar.read)


def fashion_mnist(path: str) -> Collection:
    """Read Fashion-MNIST from `<path>/FashionMNIST/raw`."""
    return _read(path, str(idx.DOWNLOADED), "FashionMNIST", idx.recognises, idx.read)


def caltech101(path: str) -> Collection:
    """Read Caltech-101 from `<path>/caltech101/101_ObjectCategories`."""
    return _read(path, "caltech101", "Caltech101", caltech.recognises, caltech.read)


def _read(
    path: str,
    folder: str,
    name: str,
    recognises: Callable[[str], bool],
    read: Callable[[str], Collection],
) -> Collection:
    """Read the folder of torchvision's data set `name`, which is downloaded if needed."""
    place = str(Path(path) / folder)
    if not recognises(place):
        logger.info("%s is not in %s: downloading it", name, path)
        _download(name, path)
    return read(place)


def _download(name: str, path: str) -> None:
    from torchvision import datasets

    try:
        getattr(datasets, name)(path, download=True)
    except (RuntimeError, OSError, ImportError) as error:
        raise InputError(
            f"`pool.source.path` {path}: does not hold {name}, and the download failed ({error}); "
            "docs/datasets.md says where to get it by hand"
        ) from error
