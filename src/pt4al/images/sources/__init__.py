"""Sources: one file a layout on disk, all with `read(path) -> Collection` and `recognises(path) -> bool`."""

from collections.abc import Callable
from pathlib import Path

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.sources import (
    caltech101,
    cifar,
    cityscapes,
    downloads,
    flat,
    folders,
    idx,
    imagenet,
    imagenet_npz,
    parquet,
    table,
)

Source = Callable[[str], Collection]

# In the order in which they are tried: the particular before the general.
LAYOUTS = {
    "table": table,
    "parquet": parquet,
    "idx": idx,
    "cifar": cifar,
    "imagenet_npz": imagenet_npz,
    "cityscapes": cityscapes,
    "caltech101": caltech101,
    "imagenet": imagenet,
    "folders": folders,
    "flat": flat,
}


def recognise(path: str) -> Collection:
    """Read whatever layout lies at `path`."""
    for layout in LAYOUTS.values():
        if layout.recognises(path):
            return layout.read(path)
    if not Path(path).exists():
        raise InputError(f"{path}: no such file or folder (`pool.source.path`)")
    raise InputError(f"{path}: holds no layout known here; `pool.source.kind` can be {', '.join(LAYOUTS)}")


SOURCES: dict[str, Source] = {
    "auto": recognise,
    **{kind: layout.read for kind, layout in LAYOUTS.items()},
    "download_cifar10": downloads.cifar10,
    "download_cifar100": downloads.cifar100,
    "download_fashion_mnist": downloads.fashion_mnist,
    "download_caltech101": downloads.caltech101,
}
