"""Pictures that use little of the range from black to white are found."""

import numpy as np
import pandas as pd

from pt4al.images.pool import ImagePool
from pt4al.images.ranges import narrow


def pool(images: np.ndarray) -> ImagePool:
    index = pd.DataFrame({"id": [f"picture {row}" for row in range(len(images))]}, dtype="str")
    return ImagePool(images, index, [0.0], [1.0], "")


def test_pictures_of_sixteen_levels_are_named_and_others_are_not():
    rng = np.random.default_rng(0)
    images = np.stack([rng.integers(0, high, (1, 8, 8)) for high in (256, 16, 200, 40)]).astype(np.uint8)
    table = narrow(pool(images))
    assert table["id"].tolist() == ["picture 1", "picture 3"]
    assert (table["brightest"] - table["darkest"] < 64).all()


def test_one_pixel_does_not_make_a_range():
    image = np.full((1, 1, 20, 20), 7, np.uint8)
    image[0, 0, 0, 0] = 255
    assert narrow(pool(image))[["darkest", "brightest"]].to_numpy().tolist() == [[7, 7]]


def test_pool_without_pictures_has_none():
    assert narrow(pool(np.empty((0, 1, 8, 8), np.uint8))).empty
