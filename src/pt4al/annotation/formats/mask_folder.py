"""Masks as a folder of PNG files, one an image, whose values are numbers of classes."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from PIL import Image

from pt4al.errors import InputError
from pt4al.files.whole import replacing
from pt4al.masks import IGNORED, LARGEST, encode, ignore, unknown_values

MODES = ("1", "L", "P")  # of pictures whose pixels are one number of up to 8 bits
SPREAD = {"L;2": 85, "L;4": 17}  # by which Pillow multiplies grey levels of 2 and 4 bits
NO_MASKS = (
    ".jpg",
    ".jpeg",
    ".webp",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".npy",
)  # told of, and not read
PROBLEMS = ["file", "id", "problem"]

Fit = Callable[
    [bytes], np.ndarray
]  # from a PNG file in a picture's geometry to the mask of the pool's image


def read(
    folder: Path,
    ids: Iterable[str],
    classes: Sequence[str],
    size: tuple[int, int],
    ignored: Collection[int] = (),
    fit: Fit | None = None,
) -> tuple[list[tuple[str, bytes]], pd.DataFrame]:
    """Read the masks of a folder and its subfolders.

    A file belongs to the image whose id it is named after: `a/b.jpg` has `a/b.png` or
    `a/b.jpg.png`, or `b.png` if no other id ends so, or that in a folder, `masks/a/b.png`.

    Parameters
    ----------
    ids
        That may be answered.
    size
        Height and width of the pool's images.
    ignored
        Values that stand for no class, beside 255.
    fit
        Makes masks of other sizes fit. None: they are problems.

    Returns
    -------
    masks
        Id and PNG file, 8 bit grey, of those that are good.
    problems
        `file`, `id` (empty if unknown), `problem`.

    Raises
    ------
    InputError
        If there is no such folder, or no PNG file in it.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: {'is a file' if folder.exists() else 'no such folder'}; it should hold PNG masks"
        )
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and not _hidden(path, folder)
    )
    if not any(path.suffix.lower() == ".png" for path in files):
        raise InputError(f"{folder}: holds no PNG file")
    names = ImageNames(ids)
    found = {}
    problems = []
    for path in files:
        name = path.relative_to(folder).as_posix()
        image = ""
        try:
            if path.suffix.lower() in NO_MASKS:
                raise InputError(f"{path.suffix} files are not read: masks are PNG files")
            if path.suffix.lower() != ".png":
                continue
            image = names.find(name)
            found.setdefault(image, []).append(
                (name, encode(_fitted(_opened(path), size, classes, ignored, fit)))
            )
        except InputError as error:
            problems.append((name, image, str(error)))
    masks, twice = several(found)
    return masks, pd.DataFrame(problems + twice, columns=PROBLEMS).sort_values(
        "file", kind="stable", ignore_index=True
    )


def write(folder: Path, masks: Iterable[tuple[str, np.ndarray]]) -> int:
    """Write masks (height, width), uint8, as `<id>.png`, each whole or not at all; return how many.

    Raises
    ------
    InputError
        If an id is no path inside the folder, or another mask of that name is there.
    """
    number = 0
    for image, mask in masks:
        if (
            PurePosixPath(image).is_absolute()
            or ".." in PurePosixPath(image).parts
            or "\0" in image
        ):
            raise InputError(f"id {image!r:.200} is no name of a file inside {folder}")
        path = folder / f"{image}.png"
        file = encode(mask)
        if path.exists() and path.read_bytes() != file:
            raise InputError(f"{path} is there and is another mask: name another folder")
        with replacing(path) as temporary:
            temporary.write_bytes(file)
        number += 1
    return number


def checked(mask: np.ndarray, size: tuple[int, int], fit: Fit | None) -> np.ndarray:
    """Return a mask of the pool's size.

    Raises
    ------
    InputError
        If it has another one and nothing makes it fit, or no pixel of it has a class.
    """
    if mask.shape != size:
        if fit is None:
            raise InputError(
                f"is {mask.shape[0]} pixels high and {mask.shape[1]} wide, "
                f"the pool's images are {size[0]} and {size[1]}"
            )
        mask = fit(encode(mask))
    if (mask == IGNORED).all():
        raise InputError(
            f"no pixel has a class, all are {IGNORED}: leave out images that are not labelled"
        )
    return mask


def several(
    found: Mapping[str, list[tuple[str, bytes]]],
) -> tuple[list[tuple[str, bytes]], list[tuple[str, str, str]]]:
    """Return id and mask of images that have one mask, and file, id and problem of each mask of the others."""
    masks = [(image, said[0][1]) for image, said in found.items() if len(said) == 1]
    told = "is one of {} masks of this image ({}): none is taken"
    problems = [
        (name, image, told.format(len(said), ", ".join(other for other, _ in said[:3])))
        for image, said in found.items()
        if len(said) > 1
        for name, _ in said
    ]
    return masks, problems


class ImageNames:
    """Finds the id that a file's name stands for, however its letters are put together (Unicode's NFC and NFD)."""

    def __init__(self, ids: Iterable[str]):
        """Take the ids that are known: those of the pool, if a name without its folder should not be misunderstood."""
        self._whole: dict[str, set[str]] = {}  # by themselves, with and without suffix
        self._ends: dict[str, set[str]] = {}  # by all that they end in
        for image in ids:
            for end in _ends(image):
                self._ends.setdefault(_composed(end), set()).add(image)
            for name in (image, _bare(image)):
                self._whole.setdefault(_composed(name), set()).add(image)

    def find(self, name: str) -> str:
        """Return the id that a name is, or ends in, or that ends in it; with, without or with another suffix.

        Raises
        ------
        InputError
            If no id fits, or several do equally well.
        """
        name = name.replace("\\", "/")
        tries = [
            (self._whole, name),
            (self._whole, _bare(name)),
            (self._ends, name),
            (self._ends, _bare(name)),
        ]
        tries += [(self._whole, end) for end in _ends(name)]
        for known, spelling in tries:
            fitting = sorted(known.get(_composed(spelling), ()))
            if spelling in fitting:
                return spelling
            if len(fitting) == 1:
                return fitting[0]
            if fitting:
                told = ", ".join(map(repr, fitting[:3]))
                raise InputError(
                    f"could be a mask of {told}: name it after the whole id, {fitting[0]}.png, say"
                )
        raise InputError(f"{name!r:.200} is no image of this query")


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _ends(path: str) -> list[str]:
    """Return a path, and what is left of it without its first folders, each with and without its suffix."""
    parts = path.split("/")
    ends = ["/".join(parts[first:]) for first in range(len(parts))]
    return [name for end in ends if end for name in (end, _bare(end))]


def _bare(name: str) -> str:
    """Return a name without its suffix, `.2` being none."""
    return re.sub(r"(?<=[^/])\.[A-Za-z][A-Za-z0-9]{0,4}$", "", name)


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)


def _opened(path: Path) -> np.ndarray:
    """Return a PNG file's values, (height, width): grey levels, or a palette's indices."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if image.mode not in MODES:
                raise InputError(
                    f"is a picture of mode {image.mode}: a mask has 8 bit grey levels or a palette"
                )
            if image.width * image.height > LARGEST:
                raise InputError(
                    f"has {image.width} x {image.height} pixels: {LARGEST} are the most that are read"
                )
            steps = SPREAD.get(str(image.tile[0].args), 1)
            return np.asarray(image).astype(np.uint8) // steps
    except InputError:
        raise
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise InputError(
            f"can't be read as PNG: {str(error).replace(str(path), path.name):.200}"
        ) from None


def _fitted(
    mask: np.ndarray,
    size: tuple[int, int],
    classes: Sequence[str],
    ignored: Collection[int],
    fit: Fit | None,
) -> np.ndarray:
    unknown = unknown_values(mask, len(classes), ignored)
    if len(unknown):
        row, column = np.argwhere(mask == unknown[0])[0]
        raise InputError(
            f"holds the value {unknown[0]} (first in row {row}, column {column}), "
            f"but the classes are 0 to {len(classes) - 1}, and {IGNORED} is none"
        )
    return checked(ignore(mask, ignored), size, fit)
