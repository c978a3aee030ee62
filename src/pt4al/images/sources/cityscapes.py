"""Source `cityscapes`: street scenes with masks of 19 classes, as Cityscapes lays them out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.opening import BadPicture, opened
from pt4al.images.sources.walk import collect, files
from pt4al.masks import IGNORED, VALUES, encode

PICTURES = "leftImg8bit"
MASKS = "gtFine"
SPLITS = ("train", "val", "test")
# The ids that are trained on, in the order of their trainId; all others are to be ignored
# (cityscapesScripts, helpers/labels.py).
CLASSES = {
    7: "road",
    8: "sidewalk",
    11: "building",
    12: "wall",
    13: "fence",
    17: "pole",
    19: "traffic light",
    20: "traffic sign",
    21: "vegetation",
    22: "terrain",
    23: "sky",
    24: "person",
    25: "rider",
    26: "car",
    27: "truck",
    28: "bus",
    31: "train",
    32: "motorcycle",
    33: "bicycle",
}
TRAIN_IDS = np.full(VALUES, IGNORED, np.uint8)
TRAIN_IDS[list(CLASSES)] = np.arange(len(CLASSES))


def read(path: str) -> Collection:
    """Read `leftImg8bit/<split>/<city>/*_leftImg8bit.png` and the masks in `gtFine`.

    A mask's values are 0-18, and 255 for what is to be ignored: the file
    `*_gtFine_labelTrainIds.png`, or else `*_gtFine_labelIds.png`, mapped. Pictures without either
    have no mask, nor have those of `test`, whose masks are blank. Splits other than train, val and
    test are left out.

    Raises
    ------
    InputError
        If one of the two folders is missing.

    Source: Cordts et al. 2016.
    """
    root = Path(path)
    for name in (PICTURES, MASKS):
        if not (root / name).is_dir():
            raise InputError(
                f"{path}: holds no folder `{name}`; "
                f"`{PICTURES}` and `{MASKS}` must lie side by side"
            )
    ending = f"_{PICTURES}.png"
    pictures = [
        file._replace(path=f"{PICTURES}/{file.path}", id=f"{PICTURES}/{file.id}")
        for file in files(root / PICTURES)
        if file.path.split("/", 1)[0] in SPLITS and file.path.endswith(ending)
    ]
    painted = {file.path: file for file in files(root / MASKS) if not file.path.startswith("test/")}
    scenes = [file.path.removeprefix(f"{PICTURES}/").removesuffix(ending) for file in pictures]
    masks = [
        painted.get(f"{scene}_gtFine_labelTrainIds.png")
        or painted.get(f"{scene}_gtFine_labelIds.png")
        for scene in scenes
    ]
    # A mask painted anew makes the picture another.
    pictures = [
        file._replace(stamp=f"{file.stamp}+{mask.stamp}") if mask else file
        for file, mask in zip(pictures, masks, strict=True)
    ]
    splits = [scene.split("/", 1)[0] for scene in scenes]
    return replace(
        collect(root, pictures, list(CLASSES.values()), splits=splits),
        masks=partial(_masks, root / MASKS, [mask and mask.path for mask in masks]),
        masked=np.array([mask is not None for mask in masks], bool),
    )


def recognises(path: str) -> bool:
    """Tell whether the pictures' and the masks' folders lie at `path`."""
    return all(Path(path, name).is_dir() for name in (PICTURES, MASKS))


def _masks(
    folder: Path, paths: list[str | None], rows: np.ndarray
) -> Iterator[Callable[[], bytes]]:
    for path in (folder / paths[row] for row in rows):
        yield path.read_bytes if path.name.endswith("TrainIds.png") else partial(_mapped, path)


def _mapped(path: Path) -> bytes:
    """Return a mask of ids as one of trainIds, encoded without loss."""
    with opened(path.read_bytes) as image:
        ids = np.asarray(image)
    if ids.ndim != 2 or ids.dtype != np.uint8:
        raise BadPicture(f"{path} is not an image of one channel with 8 bits")
    return encode(TRAIN_IDS[ids], compress_level=1)
