"""Names of folders and files that stand for splits or parts of a data set, not for classes."""

import re

from pt4al.text import normalised

SPLITS = {
    "train": "train",
    "training": "train",
    "trainset": "train",
    "labeled": "train",
    "labelled": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "valset": "val",
    "dev": "val",
    "development": "val",
    "eval": "val",
    "evaluation": "val",
    "test": "test",
    "testing": "test",
    "testset": "test",
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
    "seg",
}
PICTURES = {"images", "image", "imgs", "img", "pictures", "photos", "jpegimages", "data", "dataset"}
PARTS = PICTURES | {
    "annotation",
    "annotations",
    "annots",
    "bboxes",
    "batch",
    "boxes",
    "fold",
    "folds",
    "ground_truth",
    "groundtruth",
    "imagesets",
    "label",
    "labels",
    "mask",
    "masks",
    "meta",
    "metadata",
    "part",
    "parts",
    "segmentation",
    "segmentationclass",
    "segmentationobject",
    "segmentations",
}
MASKS = {"mask", "masks", "segmentation", "segmentations", "segmentationclass"}


def split_of(name: str) -> str | None:
    """Return the split that a name stands for (train, val, test, unlabeled), None if for none.

    Case does not matter, nor a year (`train2017`) or a word that says nothing (`test_images`,
    `seg_train`).
    """
    words = _words(name)
    splits = [SPLITS[word] for word in words if word in SPLITS]
    plain = all(word in SPLITS or word in FILLING for word in words)
    return splits[0] if len(splits) == 1 and plain else None


def is_part(name: str) -> bool:
    """Tell whether a name stands for a part of a data set: images, train_masks, images_001."""
    whole = normalised(name).casefold()
    if whole in PARTS:
        return True
    words = _words(name)
    meant = all(word in PARTS or word in FILLING or word in SPLITS for word in words)
    return meant and any(word in PARTS for word in words)


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", normalised(name).casefold())
