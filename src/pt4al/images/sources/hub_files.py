"""Which Parquet files a repository of the Hugging Face hub holds for each split, and how one is opened."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pt4al.errors import InputError
from pt4al.images.sources.parts import split_of

# train.parquet, train-00000-of-00004.parquet, train-00000-of-00004-1a2b3c.parquet
SHARD = re.compile(
    r"(?P<split>[A-Za-z_]+)(?:-(?P<number>\d+)-of-(?P<all>\d+)(?:-[0-9a-f]+)?)?\.parquet"
)
POINTER = b"version https://git-lfs"
SPLITS = ("train", "val", "test")  # in the order in which they are read


def files(folder: Path) -> list[tuple[Path, str]]:
    """Return the Parquet files of a folder, of its folder `data` or of a folder a split, with their splits.

    In the order train, val, test; files whose names are of no split are left out.
    """
    for place in (folder, folder / "data"):
        found = [(file, _split(file)) for file in sorted(place.glob("*.parquet"))]
        found += [
            (file, split_of(file.parent.name)) for file in sorted(place.glob("*/[0-9]*.parquet"))
        ]
        found = [(file, split) for file, split in found if split is not None]
        if found:
            _check_shards([file for file, _ in found])
            whole = {(split, file.parent) for file, split in found if file.stem == split}
            found = [
                (file, split)
                for file, split in found
                if file.stem == split or (split, file.parent) not in whole
            ]
            return [(file, split) for wanted in SPLITS for file, split in found if split == wanted]
    return []


def _split(file: Path) -> str | None:
    shard = SHARD.fullmatch(file.name)
    return split_of(shard["split"]) if shard else None


def _check_shards(files: list[Path]) -> None:
    """Refuse a split some of whose shards are missing: their pictures would be lost without a word."""
    counted: dict[tuple[str, str], set[int]] = {}
    for file in files:
        shard = SHARD.fullmatch(file.name)
        if shard and shard["all"]:
            counted.setdefault((shard["split"], shard["all"]), set()).add(int(shard["number"]))
    for (split, count), numbers in counted.items():
        missing = (
            sorted(set(range(int(count))) - numbers)
            if int(count) <= len(files) * 1000
            else [len(numbers)]
        )
        if missing:
            raise InputError(
                f"{files[0].parent}: shard {missing[0]:05d} of the {int(count)} of `{split}` is missing: get it too"
            )


def opened_file(file: Path) -> pq.ParquetFile:
    """Open a Parquet file to be read a few pictures at a time, or say in an InputError why it is none."""
    try:
        # A buffer, so that not all of a column's chunk is read at once.
        return pq.ParquetFile(file, buffer_size=2**20, pre_buffer=False)
    except (pa.ArrowException, OSError, MemoryError) as error:
        with file.open("rb") as start:
            if start.read(len(POINTER)) == POINTER:
                raise InputError(
                    f"{file}: is a pointer of Git LFS, not the file: git lfs pull"
                ) from error
        raise InputError(f"{file}: not a Parquet file ({error})") from error
