"""Find out which layout lies at a path, or say what lies there instead."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Protocol

from pt4al.errors import InputError
from pt4al.images.sources import folders, refusing
from pt4al.images.sources.left_out import summarise
from pt4al.images.sources.walk import folders as folders_in
from pt4al.images.sources.walk import text, visible, walk

LOOKED_AT = 10_000  # files
DEEPEST = 6  # folders, each the only one in another, that are descended into
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".rar", ".7z", ".bz2", ".xz")
TABLES = (".csv", ".tsv", ".parquet")


class Layout(Protocol):
    """A module of this package."""

    def recognises(self, path: str) -> bool:
        """Tell whether this layout lies at `path`; little is read for that."""


def find(path: str, layouts: Mapping[str, Layout]) -> tuple[str, str]:
    """Return which of the layouts lies at `path`, or in the only folder in it, and where.

    Raises
    ------
    InputError
        If none does, or class folders would have the names of splits or parts of a data set.
    """
    if not Path(path).exists():
        raise InputError(f"{path}: no such file or folder (`pool.source.path`)")
    for place in _nested(path):
        for kind, layout in layouts.items():
            if kind == "flat" or not layout.recognises(place):
                continue
            if kind == "folders":
                refusing.refuse_parts(place)
            return kind, place
    if layouts["flat"].recognises(path):
        return "flat", path
    if Path(path).suffix.lower() in TABLES and Path(path).is_file():
        return "table", path  # its reader says what it lacks
    kinds = ""
    if Path(path).is_dir():
        kinds = f" `pool.source.kind` can be {', '.join(layouts)}: docs/datasets.md"
    raise InputError(f"{path}: {_instead(Path(path))}{kinds}")


def flat_splits(path: str) -> dict[str, str]:
    """Return the splits of pictures without class folders, by folders' paths below `path`."""
    innermost = list(_nested(path))[-1]
    prefix = "" if innermost == path else f"{Path(innermost).relative_to(path).as_posix()}/"
    return {f"{prefix}{name}": split for name, split in folders.layout(innermost).splits.items()}


def flat_notes(path: str) -> list[str]:
    """Say why the folders at `path` are no classes, and where labels may be."""
    inside = folders_in(path)
    pictures = folders.beside(path)
    notes = []
    if pictures and inside:
        notes.append(
            f"{len(pictures)} pictures lie beside {len(inside)} folders, "
            "so that folders are no classes"
        )
    elif len(inside) == 1 and not folders.layout(path).splits:
        notes.append(
            f"All pictures lie in one folder, `{text(inside[0])}`: a single one is no class"
        )
    tables = sorted(
        text(entry.name)
        for entry in Path(path).iterdir()
        if visible(entry.name) and entry.suffix.lower() in TABLES
    )
    if tables:
        (lying,) = summarise(tables, "table lies", "tables lie")
        notes.append(
            f"{lying} beside them: if labels are in one, "
            f"`pool.source.path={path}/{tables[0]}` reads them"
        )
    return notes


def _nested(path: str) -> Iterator[str]:
    """Yield `path`, the only folder in it if no picture lies beside it, the only one in that ..."""
    yield path
    place = Path(path)
    for _ in range(DEEPEST):
        inside = folders_in(place) if place.is_dir() else []
        if len(inside) != 1 or folders.beside(place):
            return
        place = place / inside[0]
        yield str(place)


def _instead(path: Path) -> str:
    """Say what lies at a path that no layout is known for."""
    suffix = path.suffix.lower()
    if path.is_file():
        if folders.is_picture(path.name):
            return "is one picture: name the folder that it lies in."
        if suffix in ARCHIVES:
            return "is an archive: unpack it."
        if suffix == ".json":
            return (
                "is JSON: boxes and regions of COCO are no classes of whole pictures; "
                "name the pictures' folder."
            )
        return "is no file of a layout known here: tables end in .csv, .tsv or .parquet."
    inside = folders_in(path)
    names = sorted(
        text(entry.name) for entry in path.iterdir() if visible(entry.name) and not entry.is_dir()
    )
    if any(name.endswith(".arrow") for name in names):
        return (
            "holds Arrow files of `save_to_disk`: "
            "write Parquet instead (`to_parquet` of the library datasets)."
        )
    below = sorted(file.id for file in islice(walk(path), LOOKED_AT))
    parquet = [name for name in below if name.endswith(".parquet")]
    if parquet:
        return (
            f"holds {summarise(parquet, 'Parquet file', 'Parquet files')[0]}, of which none here is "
            "the training split by its name (train.parquet): name a file or its folder, "
            f"`pool.source.path={path}/{parquet[0]}`."
        )
    if any(name.lower().endswith(ARCHIVES) for name in names):
        return f"holds {summarise(names, 'file', 'files')[0]}: unpack archives."
    if inside and all(folders_in(path / name) == [] for name in inside):
        holding = summarise([text(name) for name in inside], "folder", "folders")[0]
        return f"holds {holding} in which no pictures were found."
    holding = [
        *summarise([text(name) for name in inside], "folder", "folders"),
        *summarise(names, "file", "files"),
    ]
    return f"holds no layout known here, but {' and '.join(holding) or 'nothing'}."
