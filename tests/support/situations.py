"""Evidence for the tests of strategies: clustered features, and everything else drawn from one seed."""

import numpy as np

from pt4al.selection.evidence import Evidence

CLASSES, DIMENSIONS, CYCLES = 4, 6, 3


def situation(seed: int = 0, images: int = 60, budget: int = 12, labelled: int = 0, **fields: object) -> Evidence:
    """Return evidence about so many candidates; `fields` replaces some of it."""
    rng = np.random.default_rng(seed)
    middles = 3 * rng.normal(size=(CLASSES, DIMENSIONS))
    features = middles[rng.integers(CLASSES, size=images + labelled)] + rng.normal(size=(images + labelled, DIMENSIONS))
    known = {
        "budget": budget,
        "rng": np.random.default_rng(seed + 1),
        "cycle": 1,
        "classes": CLASSES,
        "batches": np.arange(images) * CYCLES // images,
        "losses": np.sort(rng.random(images))[::-1],
        "scores": rng.random(images),
        "features": features[:images].astype(np.float32),
        "probabilities": rng.dirichlet(np.ones(CLASSES), images).astype(np.float32),
        "labelled": features[images:].astype(np.float32),
        "counts": np.bincount(rng.integers(CLASSES, size=labelled), minlength=CLASSES),
        "head": (
            rng.normal(size=(CLASSES, DIMENSIONS)).astype(np.float32),
            rng.normal(size=CLASSES).astype(np.float32),
        ),
    }
    return Evidence(**{**known, **fields})
