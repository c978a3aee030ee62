"""Encode pictures, and say how a pool is made of them."""

import io

import numpy as np
from PIL import Image

from pt4al.images.building import Recipe


def encoded(pixels: np.ndarray, form: str = "PNG") -> bytes:
    """Return the bytes of a picture's file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def recipe(**changes: object) -> Recipe:
    """A recipe that keeps pictures as they are and allows no bad ones, but for what is given."""
    usual = {"size": "auto", "fit": "crop", "channels": "auto", "background": 255, "noise": 0, "bad_share": 0}
    return Recipe(**usual | changes)
