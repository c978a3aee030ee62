"""Say in words what features are like before there is a label."""

import pandas as pd

CLOSE = 0.02  # accuracies that differ by less are not told apart
COLUMNS = ["check", "value", "sentence"]


def checks(
    images: int, agreement: float, chance: float, hubs: float, dimension: float, width: int
) -> pd.DataFrame:
    """Return what can be said of features without a label.

    One row a check: `check`, `value`, `sentence`.

    Parameters
    ----------
    images
        How many were looked at.
    agreement, chance
        Share of neighbours that the same network with random weights finds too, and what guessing
        would find.
    hubs
        Share of places among neighbours that the 1 % of images hold that hold most.
    dimension, width
        In how many directions features spread, of how many numbers.
    """
    rows = [
        (
            "agreement",
            agreement,
            f"Of the ten nearest neighbours of {images:,} images, {100 * agreement:.0f} % are so "
            "under the same network with random weights, too (by chance "
            f"{100 * chance:.1f} %): the rest is what it has learnt.",
        ),
        (
            "hubs",
            hubs,
            f"One image in a hundred holds {100 * hubs:.0f} % of all places among the nearest "
            "neighbours.",
        ),
        (
            "dimension",
            dimension,
            f"Features spread in {dimension:.0f} directions, of {width:,} numbers each.",
        ),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def verdict(network: str, probe: dict, trained: dict) -> str:
    """Say whether a probe of the features does better than the network that was trained.

    Parameters
    ----------
    network
        Whose features they are.
    probe, trained
        Metrics of the test split after the same labels, `labels` and `accuracy` among them.
    """
    measured = (
        f"With the same {trained['labels']:,} labels a linear probe of {network}'s features is "
        f"right in {100 * probe['accuracy']:.1f} %, the trained network in "
        f"{100 * trained['accuracy']:.1f} %"
    )
    gain = probe["accuracy"] - trained["accuracy"]
    if gain > CLOSE:
        return (
            f"{measured}: these features are good for these pictures; "
            "set `main.start_from: features`."
        )
    if gain < -CLOSE:
        return (
            f"{measured}: what is learnt here is better for these pictures; "
            "`features.network: pretext` may choose better."
        )
    return f"{measured}: as good."
