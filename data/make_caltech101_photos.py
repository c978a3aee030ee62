"""Make the photos of Caltech-101 that ship: 24 classes, three quarters pool and a quarter test, as Parquet with JPEGs.

    python data/make_caltech101_photos.py <101_ObjectCategories.tar> [folder to write to]

Pictures of more than 112 pixels a side are reduced to that; smaller ones stay as they are, to the byte. Of pictures
that are nearly the same, one is taken. Which are taken, and for which split, depends on their names alone.
"""

import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from pt4al.images.decode import Frame, decode
from pt4al.images.duplicates import find, perceptual_hash

FOLDER = Path(__file__).parent / "01_raw" / "caltech101_photos"
ATTRIBUTION = """# Photos of 24 classes of Caltech 101

Fei-Fei Li, Marco Andreeto, Marc'Aurelio Ranzato, Pietro Perona: Caltech 101. CaltechDATA, 2022.
https://doi.org/10.22002/D1.20086

Licence: Creative Commons Attribution 4.0 International (CC BY 4.0), https://creativecommons.org/licenses/by/4.0/

Changed: a choice of 24 of the 101 classes, at most 110 pictures of each, reduced to at most 112 pixels a side, with
other names, split into train and test. Made by `data/make_caltech101_photos.py`.
"""
SIDE = 112  # pixels, of the longer side
MOST = 110  # pictures of a class
TEST = 0.25
# Of 75 pictures and more; none whose pictures share a frame (Leopards) or a person (Faces).
CLASSES = [
    "Motorbikes",
    "airplanes",
    "bonsai",
    "buddha",
    "butterfly",
    "chandelier",
    "electric_guitar",
    "ewer",
    "grand_piano",
    "hawksbill",
    "helicopter",
    "ibis",
    "kangaroo",
    "ketch",
    "laptop",
    "llama",
    "menorah",
    "revolver",
    "scorpion",
    "starfish",
    "sunflower",
    "trilobite",
    "umbrella",
    "watch",
]


def main() -> None:
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(ATTRIBUTION, encoding="utf-8")
    pictures = pd.DataFrame(_read(Path(sys.argv[1])), columns=["name", "class", "bytes"])
    pictures = pictures.sort_values("name", ignore_index=True)  # names are digests: an order without meaning
    pictures = pictures[~pictures["name"].isin(_repeated(pictures))]
    place = pictures.groupby("class").cumcount()
    size = pictures.groupby("class")["name"].transform("size").clip(upper=MOST)
    tested = (size * TEST).round()
    splits = {"test": place < tested, "train": (place >= tested) & (place < MOST)}
    for split, chosen in splits.items():
        path = folder / f"{split}.parquet"
        pq.write_table(_table(pictures[chosen]), path, row_group_size=1000, compression="none")
        print(f"{path}: {chosen.sum()} images, {path.stat().st_size / 1e6:.1f} MB")


def _read(archive: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield each picture of the classes: a name that says nothing of its class, its class, and its JPEG."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if member.isfile() and path.suffix == ".jpg" and path.parent.name in CLASSES:
                digest = hashlib.sha256(f"{path.parent.name}/{path.name}".encode()).hexdigest()
                yield f"{digest[:12]}.jpg", path.parent.name, _small(tar.extractfile(member).read())


def _small(encoded: bytes) -> bytes:
    picture = Image.open(io.BytesIO(encoded))
    if max(picture.size) <= SIDE:
        return encoded
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    reduced = io.BytesIO()
    picture.save(reduced, "JPEG", quality=85)
    return reduced.getvalue()


def _repeated(pictures: pd.DataFrame) -> pd.Series:
    """Return the names of pictures that are, or nearly are, others that stand before them."""
    images = np.stack([decode(encoded, Frame(3, 64, 64)) for encoded in pictures["bytes"]])
    digests = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    index = pd.DataFrame({"id": pictures["name"], "split": "all", "digest": digests})
    return find(index.assign(hash=perceptual_hash(images)), lambda rows: images[rows])["id"]


def _table(pictures: pd.DataFrame) -> pa.Table:
    encoded = pa.array(pictures["bytes"], pa.binary())
    image = pa.StructArray.from_arrays([encoded, pa.array(pictures["name"], pa.string())], ["bytes", "path"])
    label = pa.array([CLASSES.index(name) for name in pictures["class"]], pa.int64())
    features = {"image": {"_type": "Image"}, "label": {"names": CLASSES, "_type": "ClassLabel"}}
    hub = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.table({"image": image, "label": label}).replace_schema_metadata(hub)


if __name__ == "__main__":
    main()
