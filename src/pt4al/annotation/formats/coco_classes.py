"""Classes of whole images in COCO's format: one annotation an image, whose box is the picture."""

import json
from collections.abc import Iterable
from pathlib import Path

from pt4al.annotation.formats.labelled import Labelled
from pt4al.errors import InputError
from pt4al.files.whole import replacing


def write_coco_classes(
    path: Path, labelled: Labelled, sizes: Iterable[tuple[str, int, int]]
) -> None:
    """Write images and annotations; an image has `cycle`, `why` and `weight` too.

    Parameters
    ----------
    sizes
        Id, width and height of each picture, read one after another.

    Raises
    ------
    InputError
        If the file exists.
    """
    if path.exists():
        raise InputError(f"{path} is there already: name another file")
    numbers = {name: number for number, name in enumerate(labelled.classes, start=1)}
    rows = {row.id: row for row in labelled.labels.itertuples()}
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    annotations = []
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        info = {"description": f"Labels of run {labelled.run}. {labelled.warning}"}
        file.write(f'{{"info": {json.dumps(info)}, "categories": {json.dumps(categories)},')
        file.write(' "images": [')
        for number, (image, width, height) in enumerate(sizes, start=1):
            row = rows[image]
            entry = {"id": number, "file_name": image, "width": width, "height": height}
            entry |= {"cycle": int(row.cycle), "why": row.why, "weight": float(row.weight)}
            file.write(f"{_separator(number)}{json.dumps(entry)}")
            annotations.append((numbers[row.label], width, height))
        file.write('],\n "annotations": [')
        for number, (category, width, height) in enumerate(annotations, start=1):
            entry = {"id": number, "image_id": number, "category_id": category, "iscrowd": 0}
            entry |= {"bbox": [0, 0, width, height], "area": width * height}
            entry["segmentation"] = [[0, 0, width, 0, width, height, 0, height]]
            file.write(f"{_separator(number)}{json.dumps(entry)}")
        file.write("]}\n")


def _separator(number: int) -> str:
    return "\n" if number == 1 else ",\n"
