"""Write small data sets in the layouts of real ones, with pictures that a network can learn from."""

import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

ROAD, CAR, SKY = 7, 26, 23  # ids of Cityscapes; 0 is unlabelled
SCENE = {0: (20, 20, 20), ROAD: (128, 64, 128), CAR: (0, 0, 142), SKY: (70, 130, 180)}


def write_class_folders(
    folder: Path,
    rng: np.random.Generator,
    classes: Sequence[str] = ("bird", "cat", "dog"),
    pictures: int = 6,
    splits: Sequence[str] = (),
    size: tuple[int, int] = (32, 32),
) -> Path:
    """Write `<folder>/<split>/<class>/0000.jpg` ..., without the splits' level if there are none."""
    for place in [folder / split for split in splits] or [folder]:
        for number, name in enumerate(classes):
            for picture in range(pictures):
                save(patch(rng, number, len(classes), size), place / name / f"{picture:04d}.jpg")
    return folder


def write_caltech101(
    folder: Path,
    rng: np.random.Generator,
    classes: Sequence[str] = ("Faces", "accordion", "yin_yang"),
    pictures: int = 6,
    tar: bool = False,
) -> Path:
    """Write `<folder>/101_ObjectCategories`, the background and its stray `tmp` included, or its tar; returns it."""
    root = folder / "101_ObjectCategories"
    for number, name in enumerate([*classes, "BACKGROUND_Google"]):
        for picture in range(pictures):
            height, width = rng.integers(24, 48, 2).tolist()
            pixels = patch(rng, number, len(classes) + 1, (height, width))
            save(pixels[..., 0] if picture == 0 else pixels, root / name / f"image_{picture + 1:04d}.jpg")
    save(pixels, root / "BACKGROUND_Google" / "tmp")
    if not tar:
        return root
    with tarfile.open(f"{root}.tar", "w") as archive:
        archive.add(root, root.name)
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    root.rmdir()
    return Path(f"{root}.tar")


def write_cityscapes(
    folder: Path,
    rng: np.random.Generator,
    pictures: int = 6,
    splits: Sequence[str] = ("train", "val", "test"),
    size: tuple[int, int] = (32, 64),
    train_ids: bool = False,
) -> Path:
    """Write street scenes of sky, road and a car, `pictures` a split, with masks of ids (blank ones in test)."""
    for split in splits:
        for number in range(pictures):
            scene = f"{split}/zurich/zurich_{number:06d}_000019"
            ids = street(rng, size)
            colours = np.array([SCENE.get(value, (0, 0, 0)) for value in range(256)])[ids]
            pixels = np.clip(colours + rng.normal(0, 12, colours.shape), 0, 255).astype(np.uint8)
            save(pixels, folder / "leftImg8bit" / f"{scene}_leftImg8bit.png")
            blank = np.zeros_like(ids) if split == "test" else ids
            save(blank, folder / "gtFine" / f"{scene}_gtFine_labelIds.png")
            if train_ids:
                meaning = np.full(256, 255, np.uint8)
                meaning[[ROAD, CAR, SKY]] = (0, 13, 10)
                save(meaning[blank], folder / "gtFine" / f"{scene}_gtFine_labelTrainIds.png")
    return folder


def patch(rng: np.random.Generator, number: int, classes: int, size: tuple[int, int]) -> np.ndarray:
    """Draw a picture (height, width, 3) of class `number`: grey noise, and on it a square of the class's colour."""
    pixels = rng.normal(128, 25, (*size, 3))
    side = min(size) // 2
    top, left = (int(rng.integers(0, length - side + 1)) for length in size)
    colour = ImageColor.getrgb(f"hsv({360 * number // classes}, 90%, 90%)")
    pixels[top : top + side, left : left + side] = colour + rng.normal(0, 12, (side, side, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def street(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Draw a mask (height, width) of Cityscapes ids: sky above road, a car on it, an unlabelled lowest row."""
    height, width = size
    ids = np.full(size, SKY, np.uint8)
    horizon, left = int(rng.integers(height // 3, height // 2)), int(rng.integers(0, width // 2))
    ids[horizon:] = ROAD
    ids[horizon : horizon + height // 4, left : left + width // 3] = CAR
    ids[-1] = 0
    return ids


def save(pixels: np.ndarray, path: Path) -> None:
    """Encode a picture as its file's name says; JPEG where it says nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, "PNG" if path.suffix == ".png" else "JPEG")
