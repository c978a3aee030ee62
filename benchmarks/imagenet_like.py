"""Files as ImageNet-64's, of any size, from few real photos: each with noise of its own, so that all differ."""

import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import photos
from pt4al.images.building import Recipe, build
from pt4al.images.pool import open_pool

SIZE, NOISE = 64, 8  # pixels; grey levels, standard deviation
CHUNK = 256  # images made at once
RECIPE = Recipe(size=SIZE, fit="crop", channels=3, background=255, noise=0, bad_share=0)
BATCHES = 10  # files of training pictures, as ImageNet-64 has
VALIDATION = 1000  # pictures


def originals(folder: Path, quick: bool) -> np.ndarray:
    """Return Caltech-101 at 64x64, (N, 3 x 64 x 64) uint8, or made-up pictures; Skipped where it is not."""
    with tempfile.TemporaryDirectory(dir=folder) as decoded:
        build(photos.collection(quick), Path(decoded), RECIPE)
        pool = open_pool(Path(decoded))
        return pool.gather(np.arange(len(pool))).flatten(1).numpy()


def write(folder: Path, real: np.ndarray, images: int) -> None:
    """Write train_data_batch_1.npz to _10.npz with `images` together, and a small val_data.npz."""
    sizes = [len(part) for part in np.array_split(np.arange(images), BATCHES)]
    files = [folder / "val_data.npz", *(batch(folder, number) for number in range(1, BATCHES + 1))]
    with ThreadPoolExecutor() as threads:
        list(threads.map(write_batch, files, [real] * len(files), [VALIDATION, *sizes], range(len(files))))


def batch(folder: Path, number: int) -> Path:
    """Return the name of a file of training pictures."""
    return folder / f"train_data_batch_{number}.npz"


def write_batch(path: Path, real: np.ndarray, images: int, seed: int) -> None:
    """Write one file, chunk by chunk: `data` (images, 3 x 64 x 64) and `labels` from 1."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(real), images)
    header = {"descr": "|u1", "fortran_order": False, "shape": (images, real.shape[1])}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        with archive.open("data.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for first in range(0, images, CHUNK):
                file.write(_noisy(real[rows[first : first + CHUNK]], rng))
        with archive.open("labels.npy", "w") as file:
            np.lib.format.write_array(file, rows % 1000 + 1, allow_pickle=False)


def _noisy(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noisy = rng.standard_normal(images.shape, np.float32)
    noisy *= NOISE
    noisy += images
    return np.clip(np.rint(noisy, out=noisy), 0, 255, out=noisy).astype(np.uint8)
