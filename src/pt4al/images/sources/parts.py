"""Names of folders and files that stand for splits or parts of a data set, not for classes."""

import re
from collections.abc import Iterable

from pt4al.text import normalised

SPLITS = {
    "train": "train",
    "training": "train",
    "trainset": "train",
    "trainval": "train",
    "trn": "train",
    "labeled": "train",
    "labelled": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "valset": "val",
    "vld": "val",
    "dev": "val",
    "development": "val",
    "eval": "val",
    "evaluation": "val",
    "test": "test",
    "testing": "test",
    "testset": "test",
    "tst": "test",
    "holdout": "test",
    "unlabeled": "unlabeled",
    "unlabelled": "unlabeled",
    "pred": "unlabeled",
    "predict": "unlabeled",
    "prediction": "unlabeled",
    "inference": "unlabeled",
}
# Words that may stand beside a split's name: seg_train, test_images, training_set.
FILLING = {
    "set",
    "data",
    "dataset",
    "split",
    "images",
    "image",
    "imgs",
    "img",
    "pictures",
    "photos",
    "private",
    "public",
    "seg",
}
# Of nnU-Net's names: imagesTr, labelsTr, imagesTs.
SHORT = {"tr", "ts", "va"}
PICTURES = {"images", "image", "imgs", "img", "pictures", "photos", "jpegimages", "data", "dataset"}
PARTS = PICTURES | {
    "annotation",
    "annotations",
    "annots",
    "ann",
    "anns",
    "bbox",
    "bboxes",
    "batch",
    "boxes",
    "fold",
    "folds",
    "gt",
    "ground_truth",
    "groundtruth",
    "imagesets",
    "jpegs",
    "jpgs",
    "keypoints",
    "label",
    "labels",
    "landmarks",
    "mask",
    "masks",
    "meta",
    "metadata",
    "part",
    "parts",
    "pngs",
    "rgb",
    "segmentation",
    "segmentationclass",
    "segmentationobject",
    "segmentations",
    "thumbnails",
    "xml",
    "xmls",
}
MASKS = {
    "gt",
    "ground_truth",
    "groundtruth",
    "mask",
    "masks",
    "segmentation",
    "segmentations",
    "segmentationclass",
}


def split_of(name: str) -> str | None:
    """Return the split that a name stands for (train, val, test, unlabeled), None if for none.

    Case does not matter, nor a year (`train2017`) or a word that says nothing (`test_images`,
    `seg_train`).
    """
    words = _words(name)
    splits = [SPLITS[word] for word in words if word in SPLITS]
    if not all(word in SPLITS or word in FILLING for word in words):
        return None
    if splits == ["train", "val"]:  # both together, as in `train_val`
        return "train"
    return splits[0] if len(splits) == 1 else None


def is_part(name: str) -> bool:
    """Tell whether a name stands for a part of a data set: images, train_masks, images_001."""
    whole = normalised(name).casefold()
    if whole in PARTS:
        return True
    words = _words(name)
    known = PARTS | FILLING | SPLITS.keys() | SHORT
    if not all(word in known for word in words):
        return False
    return any(word in PARTS for word in words) or sum(word in SPLITS for word in words) > 1


def numbered_or_split(names: Iterable[str]) -> list[str]:
    """Return names that differ by a split's word alone, or a number behind a part's.

    `trainA` and `testA`; `HAM_images_part_1` and `HAM_images_part_2`.
    """
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        words = _words(name)
        splits = [SPLITS[word] for word in words if word in SPLITS]
        rest = tuple(word for word in words if word not in SPLITS)
        if len(splits) == 1:
            groups.setdefault(rest, {})[name] = splits[0]
        elif not splits and any(word in PARTS for word in words):
            groups.setdefault((*rest, ""), {})[name] = name
    return [name for group in groups.values() if len(set(group.values())) > 1 for name in group]


def _words(name: str) -> list[str]:
    """Return the words of a name in lower case, those of `trainA` and `PublicTest` apart."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", normalised(name))
    return re.findall(r"[^\W\d_]+", apart.casefold())
