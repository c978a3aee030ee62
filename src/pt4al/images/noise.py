"""Add faint noise to images: each image's own, so that it stays when others come or go."""

import zlib

import numpy as np

from pt4al.randomness import stream


def noisy(images: np.ndarray, ids: list[str], levels: float, purpose: str = "noise") -> np.ndarray:
    """Return uint8 images (N, C, H, W) with Gaussian noise; `levels` is its standard deviation.

    The same id and purpose give the same noise; two purposes give independent ones.
    """
    drawn = [
        stream(0, purpose, zlib.crc32(name.encode())).standard_normal(images.shape[1:], np.float32)
        for name in ids
    ]
    return np.clip(np.rint(images + np.float32(levels) * np.stack(drawn)), 0, 255).astype(np.uint8)
