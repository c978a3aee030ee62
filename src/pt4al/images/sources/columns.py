"""Find which column of a table or Parquet file holds what, by a setting or by usual names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pt4al.errors import InputError, did_you_mean
from pt4al.text import normalised

# In the order in which they are looked for; the first ones are this project's own.
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
    """Say that labels may be in a column of an unknown name, if there is one and no labels are."""
    if "label" in roles or not ignored:
        return []
    usual = ", ".join(LABELS)
    return [
        f"{file}: no column has a name of labels ({usual}); if {ignored[0]!r} holds them, "
        f"`pool.source.columns.label={ignored[0]}`"
    ]


def find(
    file: Path, names: Sequence[str], usual: Mapping[str, Sequence[str]], columns: Mapping[str, str]
) -> dict[str, str]:
    """Return the column, as the file spells it, for each role that has one.

    Parameters
    ----------
    names
        Names of the file's columns.
    usual
        Names in use for each role, the commonest first; case and blanks at the ends don't matter.
    columns
        Setting `pool.source.columns`: a column's name by role.

    Raises
    ------
    InputError
        If the setting names a column that the file lacks, or an unknown role.
    """
    spelled: dict[str, str] = {}
    for name in names:
        spelled.setdefault(normalised(str(name)).casefold(), name)
    roles = {}
    for role, candidates in usual.items():
        name = next((name for name in candidates if name in spelled), None)
        if name is not None:
            roles[role] = spelled[name]
    for role, name in columns.items():
        if role not in usual:
            raise InputError(f"`pool.source.columns.{role}`: {did_you_mean(role, usual)}")
        if normalised(name).casefold() not in spelled:
            raise InputError(
                f"{file}: has no column {name!r} (`pool.source.columns.{role}`): "
                f"{did_you_mean(name, names)}"
            )
        roles[role] = spelled[normalised(name).casefold()]
    return roles
