"""Find pictures that use little of the range from black to white."""

import numpy as np
import pandas as pd

from pt4al.images.pool import ImagePool

LOOKED_AT = 5_000  # images
TOGETHER = 500
NARROW = 64  # grey levels between the darkest and the brightest: a quarter of the range


def narrow(pool: ImagePool) -> pd.DataFrame:
    """Return `id`, `darkest`, `brightest` of images that use less than a quarter of the range.

    At most 5,000 images, at even intervals, are examined. The darkest and the brightest hundredth
    of the pixels are left out.
    """
    rows = np.linspace(0, len(pool) - 1, min(LOOKED_AT, len(pool))).astype(int)
    rows = np.unique(rows)
    parts = [_ends(pool, rows[first : first + TOGETHER]) for first in range(0, len(rows), TOGETHER)]
    ends = np.concatenate([np.empty((0, 2), int), *parts])
    table = pd.DataFrame(
        {"id": pool.ids.iloc[rows].array, "darkest": ends[:, 0], "brightest": ends[:, 1]}
    )
    return table[ends[:, 1] - ends[:, 0] < NARROW].reset_index(drop=True)


def _ends(pool: ImagePool, rows: np.ndarray) -> np.ndarray:
    images = pool.gather(rows).numpy().reshape(len(rows), -1)
    return np.percentile(images, (1, 99), axis=1, method="nearest").T.astype(int)
