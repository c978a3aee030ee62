"""Masks in COCO's format: a JSON file of images and regions, by outlines or run lengths."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pt4al.annotation.class_names import Names, printable
from pt4al.annotation.formats.coco_regions import from_runs, inside, to_runs
from pt4al.annotation.formats.mask_folder import Fit, ImageNames, checked, several
from pt4al.errors import InputError, did_you_mean
from pt4al.files.whole import replacing
from pt4al.masks import IGNORED, LARGEST, encode

PARTS = ("images", "annotations", "categories")
PROBLEMS = ["file", "annotation", "id", "problem"]


def read(
    path: Path,
    ids_by_file_name: Mapping[str, str],
    classes: Sequence[str],
    size: tuple[int, int],
    background: str | None = None,
    fit: Fit | None = None,
) -> tuple[list[tuple[str, bytes]], pd.DataFrame]:
    """Read a mask for each image that has regions; one without regions is not answered yet.

    Regions are painted in the file's order, later over earlier ones. An image with a region that
    can't be used is left out: what that region covers would be taken for something else.

    Parameters
    ----------
    ids_by_file_name
        Images that may be answered; names are compared as by `mask_folder.ImageNames`.
    size
        Height and width of the pool's images.
    background
        Class of pixels in no region. None: they have none (255).
    fit
        Makes masks of other sizes fit. None: they are problems.

    Returns
    -------
    masks
        Id and PNG file, 8 bit grey, of each good mask.
    problems
        `file`, `annotation` (its id; empty if the image is the problem), `id` (empty if unknown),
        `problem`.

    Raises
    ------
    InputError
        If the file can't be read, or `background` is no class.
    """
    if background is not None and background not in classes:
        raise InputError(
            f"background {background!r} is no class: {did_you_mean(background, classes)}"
        )
    content = _load(path)
    names = ImageNames(ids_by_file_name)
    by_image = {}
    images, problems = _labelled(content)
    painter = _Painter(content["categories"], classes, background)
    for entry, regions in images:
        file_name = str(entry.get("file_name"))
        image = ""
        try:
            image = ids_by_file_name[names.find(file_name)]
            wrong = painter.problems(entry, regions)
            problems += [(file_name, annotation, image, problem) for annotation, problem in wrong]
            if not wrong:
                mask = encode(checked(painter.paint(entry, regions), size, fit))
                by_image.setdefault(image, []).append((file_name, mask))
        except InputError as error:
            problems.append((file_name, "", image, str(error)))
    masks, twice = several(by_image)
    problems += [(file_name, "", image, problem) for file_name, image, problem in twice]
    rows = [[printable(text) for text in row] for row in problems]
    return masks, pd.DataFrame(rows, columns=PROBLEMS).astype("str")


def write(path: Path, masks: Iterable[tuple[str, np.ndarray]], classes: Sequence[str]) -> int:
    """Write masks, a region for each image and class, run-length encoded; return how many images.

    Parameters
    ----------
    masks
        File's name and mask (height, width), uint8. A mask that is 255 everywhere is an image that
        is not labelled yet.
    classes
        Names of classes, whose numbers in the file are those in masks plus one.

    Raises
    ------
    InputError
        If the file exists and holds anything but images without regions.
    """
    if path.exists() and _load(path)["annotations"]:
        raise InputError(f"{path} has regions in it: take them in first, or name another file")
    content: dict[str, list] = {"images": [], "annotations": [], "categories": []}
    content["categories"] = [
        {"id": number, "name": name} for number, name in enumerate(classes, start=1)
    ]
    for number, (file_name, mask) in enumerate(masks, start=1):
        height, width = mask.shape
        content["images"].append(
            {"id": number, "file_name": file_name, "height": height, "width": width}
        )
        for value in np.unique(mask[mask != IGNORED]):
            region = to_runs(mask == value) | {"image_id": number, "category_id": int(value) + 1}
            content["annotations"].append({"id": len(content["annotations"]) + 1} | region)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content), "utf-8")
    return len(content["images"])


class _Painter:
    """Paints regions into masks."""

    def __init__(self, categories: list[dict], classes: Sequence[str], background: str | None):
        names = Names(classes)
        self._numbers = {_key(one.get("id")): _number(one.get("name"), names) for one in categories}
        self._start = IGNORED if background is None else list(classes).index(background)

    def problems(self, image: dict, regions: list[dict]) -> list[tuple[str, str]]:
        """Return the id of each region that can't be painted, and why.

        Raises
        ------
        InputError
            If none can, since the image's size is unknown.
        """
        height, width = _size(image)
        problems = []
        for region in regions:
            try:
                key = _key(region.get("category_id"))
                number = self._numbers.get(key, f"has category {key}, which the file does not name")
                if isinstance(number, str):
                    raise InputError(number)
                for _ in _parts(region, height, width):
                    pass
            except InputError as error:
                problems.append((_key(region.get("id")), str(error)))
        return problems

    def paint(self, image: dict, regions: list[dict]) -> np.ndarray:
        """Return the mask (height, width), uint8, of an image whose regions have no problems."""
        mask = np.full(_size(image), self._start, np.uint8)
        for region in regions:
            for covered in _parts(region, *mask.shape):
                mask[covered] = self._numbers[_key(region["category_id"])]
        return mask


def _number(name: Any, names: Names) -> int | str:
    """Return the number of a category's class, or what is wrong with it."""
    meaning = names.find(name)
    if meaning is not None:
        return names.classes.index(meaning)
    return f"is of category {name!r:.200}, which is no class: {names.hint(name)}"


def _parts(region: dict, height: int, width: int) -> Iterator[np.ndarray]:
    """Yield where a region is, polygon by polygon."""
    outline = region.get("segmentation")
    if isinstance(outline, dict):
        yield from_runs(outline, height, width)
    elif isinstance(outline, list) and outline:
        for polygon in outline:
            yield inside(polygon, height, width)
    else:
        raise InputError("has no outline: a box alone says nothing of pixels")


def _size(image: dict) -> tuple[int, int]:
    sides = image.get("height"), image.get("width")
    if not all(type(side) is int and side > 0 for side in sides) or sides[0] * sides[1] > LARGEST:
        raise InputError(
            f"has height {sides[0]!r:.20} and width {sides[1]!r:.20}: "
            f"up to {LARGEST} pixels are expected"
        )
    return sides


def _labelled(
    content: dict,
) -> tuple[list[tuple[dict, list[dict]]], list[tuple[str, str, str, str]]]:
    """Return images with their regions, if they have any, and problems of regions without image."""
    keys = Counter(_key(entry.get("id")) for entry in content["images"])
    images = {_key(entry.get("id")): (entry, []) for entry in content["images"]}
    problems = []
    for one in content["annotations"]:
        key = _key(one.get("image_id"))
        number = _key(one.get("id"))
        if keys[key] == 1:
            images[key][1].append(one)
        else:
            problem = f"is on image {key}, which the file has {keys[key]} times: once is right"
            problems.append(("", number, "", problem))
    return [(entry, regions) for entry, regions in images.values() if regions], problems


def _key(number: Any) -> str:
    """Return an id as text: some programs write 1, some "1"."""
    return str(number)[:60]


def _load(path: Path) -> dict[str, list[dict]]:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise InputError(f"{path}: {what}; it should be COCO's JSON")
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON file ({error!s:.200})") from None
    for name in PARTS:
        part = content.get(name) if isinstance(content, dict) else None
        if not isinstance(part, list) or not all(isinstance(one, dict) for one in part):
            raise InputError(
                f"{path}: needs a list `{name}` of objects, as COCO's instances_*.json has"
            )
    return content
