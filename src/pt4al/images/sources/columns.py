"""Which column of a table, or of the hub's Parquet files, holds what: by a setting, or by the names in use."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pt4al.errors import InputError, did_you_mean
from pt4al.text import normalised

# In the order in which they are looked for. The first ones are this project's own.
PATHS = (
    "path",
    "image_path",
    "img_path",
    "file_path",
    "filepath",
    "file_name",
    "filename",
    "file",
    "image",
    "img",
)
LABELS = ("label", "labels", "fine_label", "class", "class_name", "category", "target")
SPLIT_NAMES = ("split", "subset", "partition")
MASKS = ("mask", "mask_path", "segmentation_mask", "annotation")


def detail(roles: Mapping[str, str]) -> str:
    """Say which columns hold what, where their names are not this project's own."""
    return ", ".join(
        f"{role}s in `{name}`"
        for role, name in roles.items()
        if normalised(str(name)).casefold() != role
    )


def unnamed(file: Path, roles: Mapping[str, str], ignored: Sequence[str]) -> list[str]:
    """Say that labels may be in a column whose name says nothing, where there is one and none was found."""
    if "label" in roles or not ignored:
        return []
    known = ", ".join(LABELS)
    return [
        f"{file}: no column has a name of labels ({known}); if {ignored[0]!r} holds them, "
        f"`pool.source.columns.label={ignored[0]}`"
    ]


def find(
    file: Path, names: Sequence[str], known: Mapping[str, Sequence[str]], columns: Mapping[str, str]
) -> dict[str, str]:
    """Return the column, as the file spells it, for each role that has one.

    Parameters
    ----------
    names
        Of the file's columns.
    known
        The names in use for each role, the usual first; case and blanks at the ends don't matter.
    columns
        By role, what a person has said (`pool.source.columns`).

    Raises
    ------
    InputError
        If a person has named a column that is not there, or a role that is none.
    """
    spelled: dict[str, str] = {}
    for name in names:
        spelled.setdefault(normalised(str(name)).casefold(), name)
    found = {
        role: spelled[name]
        for role, usual in known.items()
        for name in reversed(usual)
        if name in spelled
    }
    for role, name in columns.items():
        if role not in known:
            raise InputError(f"`pool.source.columns.{role}`: {did_you_mean(role, known)}")
        if normalised(name).casefold() not in spelled:
            raise InputError(
                f"{file}: has no column {name!r} (`pool.source.columns.{role}`): {did_you_mean(name, names)}"
            )
        found[role] = spelled[normalised(name).casefold()]
    return found
