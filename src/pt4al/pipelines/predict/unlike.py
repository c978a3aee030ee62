"""Say whether new pictures look unlike those that a model has learnt from, by their headers alone."""

import numpy as np

from pt4al.images.building import Recipe
from pt4al.images.collection import Collection
from pt4al.images.decode import Frame, look
from pt4al.images.opening import BadPicture
from pt4al.images.survey import LOOKED_AT, USUAL

MOST = 0.9  # of the pictures looked at


def unlike(collection: Collection, frame: Frame, recipe: Recipe) -> str | None:
    """Return a sentence where most pictures look unlike a pool's; None if they don't.

    Parameters
    ----------
    frame
        What the pool's images look like.
    recipe
        What was asked for: only where that was `auto` does the frame say what its pictures were.
    """
    seen = _seen(collection)
    facts = []
    if recipe.channels == "auto" and frame.channels == 1:
        colours = sum(not grey for *_, grey in seen)
        if colours > MOST * len(seen):
            facts.append(
                f"{colours:,} of {len(seen):,} looked at are in colour, and those are grey"
            )
    size = (frame.height, frame.width)
    if recipe.size == "auto" and size != (USUAL, USUAL):  # the size that those share
        others = sum((height, width) != size for height, width, _ in seen)
        if others > MOST * len(seen):
            facts.append(
                f"{others:,} of {len(seen):,} have other sizes than {frame.width} x {frame.height} "
                "pixels"
            )
    if not facts:
        return None
    return (
        "These pictures do not look like those that the model has learnt from: "
        f"{'; '.join(facts)}. What it takes them for may mean little."
    )


def _seen(collection: Collection) -> list[tuple[int, int, bool]]:
    """Height, width and greyness of some pictures, at even intervals; broken ones are left out."""
    number = min(LOOKED_AT, len(collection))
    rows = np.unique(np.linspace(0, len(collection) - 1, number).astype(int))
    seen = []
    for picture in collection.pictures(rows):
        try:
            seen.append(look(picture))
        except BadPicture:
            continue
    return seen
