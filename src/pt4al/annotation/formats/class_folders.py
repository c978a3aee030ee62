"""Pictures in a folder for each class, as torchvision's ImageFolder and YOLO read them."""

from pathlib import Path

from pt4al.annotation.formats.file_names import file_stems, folder_names
from pt4al.annotation.formats.labelled import Files, Labelled
from pt4al.annotation.formats.new_folder import check_new, new_folder

TABLE = "labels.csv"  # beside the folders: where each label comes from
TRAIN = "train"  # YOLO's name of the folder that is learnt from


def write_class_folders(path: Path, labelled: Labelled, files: Files, below: str = "") -> list[str]:
    """Write pictures as <path>/<class>/<file>, and `labels.csv`: `file` and all that is known.

    Parameters
    ----------
    files
        Read one after another.
    below
        Folder of the classes' folders, in `path`: YOLO's `train`.

    Returns
    -------
    Sentences on classes that have no folder, or one of another name.

    Raises
    ------
    InputError
        If something is there, or a class can have no folder; before anything is read.
    """
    check_new(path)
    counts = labelled.counts()
    folders = folder_names(name for name, images in counts.items() if images)
    stems = file_stems(labelled.labels["id"])
    labels = labelled.labels.set_index("id")["label"].to_dict()
    places = {}
    with new_folder(path) as temporary:
        start = temporary / below
        for folder in folders.values():
            (start / folder).mkdir(parents=True)
        for image, suffix, content in files:
            file = start / folders[labels[image]] / f"{stems[image]}{suffix}"
            file.write_bytes(content)
            places[image] = file.relative_to(temporary).as_posix()
        table = labelled.labels.assign(file=labelled.labels["id"].map(places))
        columns = ["file", *labelled.labels.columns]
        table[columns].to_csv(temporary / TABLE, index=False, encoding="utf-8")
    # No folder for these: ImageFolder refuses one that is empty.
    lacking = [
        f"class {name!r} has no picture, and no folder" for name in counts if not counts[name]
    ]
    return [*lacking, *_renamed(folders)]


def _renamed(folders: dict[str, str]) -> list[str]:
    """Return a sentence on each class whose folder has another name than the class."""
    return [
        f"class {name!r} is in the folder {folder!r}"
        for name, folder in folders.items()
        if name != folder
    ]
