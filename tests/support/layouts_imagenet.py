"""Stand-ins for ImageNet in its own layouts: few classes, few pictures, and a network can learn them."""

import io

import numpy as np
from PIL import Image

WNIDS = ["n01440764", "n01443537", "n02012849", "n03126707"]
COLOURS = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [200, 200, 60]])


def picture(label: int, rng: np.random.Generator, side: int) -> np.ndarray:
    """Return noise (side, side, 3) with a patch in the class's colour."""
    pixels = rng.integers(90, 160, (side, side, 3))
    top, left = rng.integers(0, side // 2, 2)
    pixels[top : top + side // 2, left : left + side // 2] = COLOURS[label] + rng.integers(-20, 20, 3)
    return pixels.astype(np.uint8)


def jpeg(pixels: np.ndarray) -> bytes:
    raw = io.BytesIO()
    Image.fromarray(pixels).save(raw, "JPEG")
    return raw.getvalue()


def write_imagenet_folders(folder, rng, train=12, val=4, side=40, flat=True):
    """Write `train` and `val` pictures a class; `flat`: validation pictures in one folder, with Kaggle's list."""
    mapping = ["tench, Tinca tinca", "goldfish, Carassius auratus", "crane", "crane"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "LOC_synset_mapping.txt").write_text(
        "".join(f"{wnid} {names}\n" for wnid, names in zip(WNIDS, mapping, strict=True))
    )
    for label, wnid in enumerate(WNIDS):
        (folder / "train" / wnid).mkdir(parents=True)
        for number in range(train):
            file = folder / "train" / wnid / f"{wnid}_{number}.JPEG"
            file.write_bytes(jpeg(picture(label, rng, side + 8 * (number % 2))))
    lines = ["ImageId,PredictionString"]
    for number in range(val * len(WNIDS)):
        label = number % len(WNIDS)
        name = f"ILSVRC2012_val_{number + 1:08d}"
        where = folder / "val" / ("" if flat else WNIDS[label])
        where.mkdir(parents=True, exist_ok=True)
        (where / f"{name}.JPEG").write_bytes(jpeg(picture(label, rng, side)))
        lines.append(f"{name},{WNIDS[label]} 1 2 30 31 {WNIDS[label]} 3 4 20 21")
    if flat:
        (folder / "LOC_val_solution.csv").write_text("\n".join(lines) + "\n")
    return folder


def write_imagenet_npz(folder, rng, side=64, train=40, val=16, save=np.savez):
    """Write two training batches and a validation batch, and the names of four classes."""
    folder.mkdir(parents=True, exist_ok=True)
    names = zip(reversed(WNIDS), ["crane", "crane", "goldfish", "tench"], strict=True)
    (folder / "map_clsloc.txt").write_text(
        "".join(f"{wnid} {number} {name}\n" for number, (wnid, name) in enumerate(names, 1))
    )
    for name, rows in [("train_data_batch_1", train // 2), ("train_data_batch_2", train // 2), ("val_data", val)]:
        labels = rng.permutation(np.arange(rows) % len(WNIDS))
        pixels = np.array([picture(label, rng, side) for label in labels])
        data = pixels.transpose(0, 3, 1, 2).reshape(rows, -1)
        mean = {} if name == "val_data" else {"mean": data.mean(0)}
        save(folder / f"{name}.npz", data=data, labels=labels + 1, **mean)
    return folder
