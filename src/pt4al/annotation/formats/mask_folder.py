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

MODES = ("1", "L", "P")  # of pictures whose pixels are a number of up to 8 bits
SPREAD = {"L;2": 85, "L;4": 17}  # by which Pillow multiplies grey levels of 2 and 4 bits
# Reported as problems; other files are ignored.
NO_MASKS = (".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".npy")
PROBLEMS = ["file", "id", "problem"]

# Takes a PNG file in a picture's geometry, returns the mask of the pool's image.
Fit = Callable[[bytes], np.ndarray]


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
    `a/b.jpg.png`, or `b.png` if no other id ends so, or one of these in a folder, `masks/a/b.png`.

    Parameters
    ----------
    ids
        Images that may be answered.
    size
        Height and width of the pool's images.
    ignored
        Values that stand for no class, beside 255.
    fit
        Makes masks of other sizes fit. None: they are problems.

    Returns
    -------
    masks
        Id and PNG file, 8 bit grey, of each good mask.
    problems
        `file`, `id` (empty if unknown), `problem`.

    Raises
    ------
    InputError
        If there is no such folder, or no PNG file in it.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {what}; it should hold PNG masks")
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and not _hidden(path, folder)
    )
    if not any(path.suffix.lower() == ".png" for path in files):
        raise InputError(f"{folder}: holds no PNG file")
    names = ImageNames(ids)
    by_image = {}
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
            mask = encode(_fitted(_opened(path), size, classes, ignored, fit))
            by_image.setdefault(image, []).append((name, mask))
        except InputError as error:
            problems.append((name, image, str(error)))
    masks, twice = several(by_image)
    table = pd.DataFrame(problems + twice, columns=PROBLEMS)
    return masks, table.sort_values("file", kind="stable", ignore_index=True)


def write(folder: Path, masks: Iterable[tuple[str, np.ndarray]]) -> int:
    """Write masks (height, width), uint8, as `<id>.png`, each whole or not at all; return how many.

    Raises
    ------
    InputError
        If an id is no path inside the folder, or another mask of that name is there.
    """
    number = 0
    for image, mask in masks:
        path = PurePosixPath(image)
        if path.is_absolute() or ".." in path.parts or "\0" in image:
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
    by_image: Mapping[str, list[tuple[str, bytes]]],
) -> tuple[list[tuple[str, bytes]], list[tuple[str, str, str]]]:
    """Return the images that have one mask, and a problem for each mask of the others."""
    masks = []
    problems = []
    for image, files in by_image.items():
        if len(files) == 1:
            masks.append((image, files[0][1]))
            continue
        first = ", ".join(name for name, _ in files[:3])
        problem = f"is one of {len(files)} masks of this image ({first}): none is taken"
        problems += [(name, image, problem) for name, _ in files]
    return masks, problems


class ImageNames:
    """Finds the id that a file's name stands for, in Unicode's composed or decomposed letters."""

    def __init__(self, ids: Iterable[str]):
        """Take the ids, best all of the pool's: a name without its folder may fit several."""
        self._whole: dict[str, set[str]] = {}  # ids by themselves, with and without suffix
        self._ends: dict[str, set[str]] = {}  # ids by all that they end in
        for image in ids:
            for end in _ends(image):
                self._ends.setdefault(_composed(end), set()).add(image)
            for name in (image, _bare(image)):
                self._whole.setdefault(_composed(name), set()).add(image)

    def find(self, name: str) -> str:
        """Return the id that a name is, or ends in, or that ends in it, whatever their suffixes.

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
        for ids, spelling in tries:
            fitting = sorted(ids.get(_composed(spelling), ()))
            if spelling in fitting:
                return spelling
            if len(fitting) == 1:
                return fitting[0]
            if fitting:
                images = ", ".join(map(repr, fitting[:3]))
                raise InputError(
                    f"could be a mask of {images}: "
                    f"name it after the whole id, {fitting[0]}.png, say"
                )
        raise InputError(f"{name!r:.200} is no image of this query")


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _ends(path: str) -> list[str]:
    """Return a path and its ends without its first folders, each with and without suffix."""
    parts = path.split("/")
    ends = ["/".join(parts[first:]) for first in range(len(parts))]
    return [name for end in ends if end for name in (end, _bare(end))]


def _bare(name: str) -> str:
    """Return a name without its suffix; `.2` is none."""
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
                    f"has {image.width} x {image.height} pixels: "
                    f"{LARGEST} are the most that are read"
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
        reason = str(error).replace(str(path), path.name)
        raise InputError(f"can't be read as PNG: {reason:.200}") from None


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
