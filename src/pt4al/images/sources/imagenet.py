"""Source `imagenet`: ImageNet's folders; validation pictures in class folders, or with a list."""

import os
import re
from itertools import islice
from pathlib import Path

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.sources.synsets import unique_names
from pt4al.images.sources.walk import File, collect, files

WNID = re.compile(r"n\d{8}")
ENDINGS = (".jpeg", ".jpg", ".png")
NAMES = "LOC_synset_mapping.txt"
WORDS = "words.txt"  # of Tiny ImageNet: all of WordNet
LISTS = ("LOC_val_solution.csv", "val_annotations.txt", "val.txt")


def recognises(path: str) -> bool:
    """Say whether `<path>/train` holds folders with names of WordNet, such as n01440764."""
    try:
        with os.scandir(Path(path) / "train") as entries:
            return any(WNID.fullmatch(entry.name) for entry in islice(entries, 10))
    except OSError:
        return False


def read(path: str) -> Collection:
    """Read `train/<wnid>/*.JPEG`, and `val` and `test` (without labels) if they are there.

    `val` has class folders, or a list beside it or in it: Kaggle's `LOC_val_solution.csv`, a
    `val_annotations.txt` (name, tab, wnid), or Caffe's `val.txt` (name, place of the wnid in
    order). Classes are the training folders in alphabetical order, as is usual;
    `LOC_synset_mapping.txt` gives them words, or Tiny ImageNet's `words.txt`, whose folders
    `images` are read too.

    Raises
    ------
    InputError
        If there is no training picture, a flat `val` has no list, or a list lacks a picture.
    """
    root = Path(path)
    splits = [split for split in ("train", "val", "test") if (root / split).is_dir()]
    by_split = {split: _pictures(root, split) for split in splits}
    mapping = _mapping(root / NAMES)
    words = _mapping(root / WORDS)
    labels = {split: [_folder(file) for file in by_split[split]] for split in splits}
    wnids = sorted({wnid for wnid in labels.get("train", []) if wnid is not None})
    if not wnids:
        raise InputError(
            f"{root / 'train'}: holds no pictures in folders such as n01440764 (`pool.source.path`)"
        )
    if None in labels.get("val", []):
        answers = _list(root, sorted(mapping) or wnids)
        labels["val"] = [_answer(file, answers) for file in by_split["val"]]
    for split in splits:
        _known(root, by_split[split], labels[split], set(wnids), split)
    names = unique_names({wnid: mapping.get(wnid) or words.get(wnid, wnid) for wnid in wnids})
    return collect(
        root,
        [file for split in splits for file in by_split[split]],
        list(names.values()),
        [split for split in splits for _ in by_split[split]],
        [names.get(wnid) for split in splits for wnid in labels[split]],
    )


def _pictures(root: Path, split: str) -> list[File]:
    return [
        File(f"{split}/{file.path}", f"{split}/{file.id}", file.stamp)
        for file in files(root / split)
        if file.id.lower().endswith(ENDINGS)
    ]


def _folder(file: File) -> str | None:
    parts = file.id.split("/")
    # Tiny ImageNet keeps the pictures of a split, and of a class, in a folder `images`.
    return parts[1] if len(parts) > 2 and parts[1] != "images" else None


def _known(
    root: Path, pictures: list[File], labels: list[str | None], wnids: set[str], split: str
) -> None:
    for file, wnid in zip(pictures, labels, strict=True):
        if wnid not in wnids and (wnid is not None or split == "train"):
            raise InputError(
                f"{root / file.id}: is of class {wnid}, which no folder in {root / 'train'} has"
            )


def _mapping(file: Path) -> dict[str, str]:
    """Read lines such as `n01440764 tench, Tinca tinca`."""
    if not file.exists():
        return {}
    lines = [
        line.split(maxsplit=1)
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    return {wnid: names[0].split(",")[0].strip() if names else wnid for wnid, *names in lines}


def _list(root: Path, order: list[str]) -> dict[str, str]:
    """Return the wnid of each validation picture, by its name without ending."""
    for name in LISTS:
        for file in (root / name, root / "val" / name):
            if file.exists():
                return _answers(file, order)
    raise InputError(
        f"{root / 'val'}: holds pictures without class folders; "
        f"put one of {', '.join(LISTS)} into {root}, "
        f"or the pictures into folders named as in {root / 'train'}"
    )


def _answers(file: Path, order: list[str]) -> dict[str, str]:
    answers = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        name, answer, *_ = [*re.split(r"[,\s]+", line.strip()), "", ""]
        if not name or name == "ImageId":
            continue
        if answer.isdecimal():  # Caffe's list
            answer = order[int(answer)] if int(answer) < len(order) else ""
        if not WNID.fullmatch(answer):
            raise InputError(
                f"{file}: line {number} ({line[:60]!r}) names none of the {len(order)} classes"
            )
        answers[name.removesuffix(".JPEG")] = answer
    return answers


def _answer(file: File, answers: dict[str, str]) -> str:
    """Return the wnid of a picture: its folder's, or the list's."""
    name = file.id.rsplit("/", 1)[-1].removesuffix(".JPEG")
    wnid = _folder(file) or answers.get(name)
    if wnid is None:
        raise InputError(f"{file.id}: is not in the list of the validation pictures")
    return wnid
