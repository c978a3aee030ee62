"""Write the fixtures beside this file, as the library `datasets` and the hub write them: python write.py

Made with datasets 5.2.0 and pillow, in an environment of its own: pip install datasets pillow. Pictures have 8 x 8
pixels, so that all files together are small; columns, metadata and names of files are those of the data sets.
"""

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from datasets import ClassLabel, Dataset, Features, Image, Value
from PIL import Image as Pictures

HERE = Path(__file__).parent
RNG = np.random.default_rng(0)
CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
COARSE, FINE = ["fish", "flowers"], ["flatfish", "orchids", "ray", "roses"]


def picture(number: int) -> Pictures.Image:
    """Draw a picture of noise around a grey level."""
    return Pictures.fromarray(np.clip(RNG.normal(40 * number % 256, 9, (8, 8, 3)), 0, 255).astype(np.uint8))


def rows(features: Features, count: int, labelled: bool = True) -> dict[str, list]:
    """Make values for each column: labels in turn, or -1 for those that are not given away."""
    made: dict[str, list] = {}
    for name, feature in features.items():
        if isinstance(feature, Image):
            made[name] = [picture(number) for number in range(count)]
        elif isinstance(feature, ClassLabel):
            made[name] = [number % feature.num_classes if labelled else -1 for number in range(count)]
        else:
            made[name] = [f"{name} {number}" for number in range(count)]
    return made


def write(path: str, features: Features, count: int = 4, labelled: bool = True) -> None:
    """Write one Parquet file, with the hub's metadata, its pictures embedded."""
    file = HERE / path
    file.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_dict(rows(features, count, labelled), features=features).to_parquet(file)


def write_all() -> None:
    """Write a folder a data set."""
    cifar10 = Features({"img": Image(), "label": ClassLabel(names=CIFAR10)})
    for split in ("train", "test"):
        write(f"cifar10/plain_text/{split}-00000-of-00001.parquet", cifar10, 5)
    cifar100 = Features(
        {"img": Image(), "fine_label": ClassLabel(names=FINE), "coarse_label": ClassLabel(names=COARSE)}
    )
    for split in ("train", "test"):
        write(f"cifar100/cifar100/{split}-00000-of-00001.parquet", cifar100)
    food = Features({"image": Image(), "label": ClassLabel(names=["apple_pie", "beignets"])})
    for shard in range(2):
        write(f"food101/data/train-0000{shard}-of-00002.parquet", food, 3)
    write("food101/data/validation-00000-of-00001.parquet", food)
    tiny = Features({"image": Image(), "label": ClassLabel(names=["n01443537", "n01629819"])})
    write("tiny_imagenet/data/train-00000-of-00001-1359597a978bc4fa.parquet", tiny)
    write("tiny_imagenet/data/valid-00000-of-00001-70d52db3c749a935.parquet", tiny)
    hidden = Features({"image": Image(), "label": ClassLabel(names=["crane", "kite", "tench"])})
    write("hidden_test/data/train-00000-of-00001.parquet", hidden, 6)
    write("hidden_test/data/test-00000-of-00001.parquet", hidden, 3, labelled=False)
    write("converted/default/train/0000.parquet", food)
    words = Features({"photo": Image(), "species": Value("string"), "caption": Value("string")})
    write("words/train.parquet", words)
    _paths()


def _paths() -> None:
    """Write pictures, and beside them a file that has their paths alone."""
    folder = HERE / "not_embedded"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    names = []
    for number in range(2):
        content = io.BytesIO()
        picture(number).save(content, "PNG")
        (folder / "images" / f"{number}.png").write_bytes(content.getvalue())
        names.append(f"images/{number}.png")
    features = Features({"image": Image(decode=False), "label": ClassLabel(names=["a", "b"])})
    values = {"image": [{"path": name, "bytes": None} for name in names], "label": [0, 1]}
    table = Dataset.from_dict(values, features=features).with_format("arrow")[:]
    parquet.write_table(table, folder / "train.parquet")  # `to_parquet` would embed them


if __name__ == "__main__":
    write_all()
