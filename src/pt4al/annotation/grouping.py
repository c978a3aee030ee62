"""Group images that a model takes for the same class, so that one answer confirms many of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

FEWEST = 2  # images that are worth a group


@dataclass(frozen=True)
class Group:
    """Images of one question, "Are these all cat?".

    Attributes
    ----------
    label
        The class.
    images
        Ids, the surest first.
    sure
        The model's probability of the class, an image each.
    """

    label: str
    images: list[str]
    sure: list[float]


def next_best(
    likely: Sequence[tuple[str, float]], excluded: Collection[str] = ()
) -> tuple[str, float] | None:
    """Return the most likely class that was not excluded, and its probability given that.

    `likely` is [class, probability], the most likely first; None if nothing is left of it.
    """
    left = [(label, probability) for label, probability in likely if label not in excluded]
    if not left:
        return None
    gone = sum(probability for label, probability in likely if label in excluded)
    label, probability = left[0]
    # What a table rounds may add up to more than 1.
    return label, min(1.0, probability / max(1 - gone, probability, 1e-9))


def surest_group(guesses: Mapping[str, tuple[str, float]], size: int) -> Group | None:
    """Return the group to be asked for next: full ones first, of those the surest.

    Parameters
    ----------
    guesses
        Class and probability, by image; images that are equally sure keep their order.
    size
        Most images of a group.

    Returns
    -------
    None where no two images have the same class.
    """
    by_class: dict[str, list[tuple[str, float]]] = {}
    for image, (label, probability) in guesses.items():
        by_class.setdefault(label, []).append((image, probability))
    groups = []
    for label, members in by_class.items():
        members.sort(key=lambda member: -member[1])
        first = members[:size]
        images = [image for image, _ in first]
        groups.append(Group(label, images, [probability for _, probability in first]))
    groups = [group for group in groups if len(group.images) >= FEWEST]
    if not groups:
        return None
    return max(groups, key=lambda group: (len(group.images) == size, fmean(group.sure)))
