"""Find and open the Parquet files of a repository of the Hugging Face hub."""

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
    """Return the Parquet files of a folder, its `data` or its folders of splits, with splits.

    In the order train, val, test; files whose names tell no split are left out.
    """
    for place in (folder, folder / "data"):
        splits = {file: _split(file) for file in sorted(place.glob("*.parquet"))}
        for file in sorted(place.glob("*/[0-9]*.parquet")):
            splits[file] = split_of(file.parent.name)
        splits = {file: split for file, split in splits.items() if split is not None}
        if splits:
            return _in_order(splits)
    return []


def _in_order(splits: dict[Path, str]) -> list[tuple[Path, str]]:
    """Return files and splits, shards left out where the whole split lies beside them."""
    _check_shards(list(splits))
    whole = {(split, file.parent) for file, split in splits.items() if file.stem == split}
    return [
        (file, split)
        for split in SPLITS
        for file in splits
        if splits[file] == split and (file.stem == split or (split, file.parent) not in whole)
    ]


def _split(file: Path) -> str | None:
    shard = SHARD.fullmatch(file.name)
    return split_of(shard["split"]) if shard else None


def _check_shards(files: list[Path]) -> None:
    """Raise InputError if shards of a split are missing: their pictures would be lost unnoticed."""
    numbered: dict[tuple[str, str], set[int]] = {}
    for file in files:
        shard = SHARD.fullmatch(file.name)
        if shard and shard["all"]:
            numbers = numbered.setdefault((shard["split"], shard["all"]), set())
            if int(shard["number"]) in numbers:
                raise _two_versions(file, shard)
            numbers.add(int(shard["number"]))
    counts: dict[str, str] = {}
    for (split, count), numbers in numbered.items():
        if counts.setdefault(split, count) != count:
            raise InputError(
                f"{files[0].parent}: `{split}` is there in {int(counts[split])} shards and in "
                f"{int(count)}: two versions of the same pictures; move one away"
            )
        missing = [len(numbers)]
        if int(count) <= len(files) * 1000:  # a larger one is no number of shards
            missing = sorted(set(range(int(count))) - numbers)
        if missing:
            raise InputError(
                f"{files[0].parent}: shard {missing[0]:05d} of the {int(count)} of `{split}` "
                "is missing: get it too"
            )


def _two_versions(file: Path, shard: re.Match) -> InputError:
    return InputError(
        f"{file.parent}: shard {shard['number']} of `{shard['split']}` is there twice, {file.name} "
        "is one: two versions of the same pictures; move one away"
    )


def opened_file(file: Path) -> pq.ParquetFile:
    """Open a Parquet file to be read a few pictures at a time; raise InputError if it is none."""
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
