"""Sources: one file a layout on disk, all with the signature `read(path, split) -> Collection`."""

from collections.abc import Callable
from pathlib import Path

from pt4al.images.collection import Collection
from pt4al.images.sources import idx, parquet

Source = Callable[[Path, str], Collection]

SOURCES: dict[str, Source] = {"parquet": parquet.read, "idx": idx.read}
