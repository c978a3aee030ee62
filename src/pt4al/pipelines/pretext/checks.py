"""Check pretext losses before any label."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from pt4al.features.vectors import Features
from pt4al.files.stored_table import StoredTable
from pt4al.images.pool import ImagePool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.pretext.shortcut import score_twice
from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.parameters import Parameters
from pt4al.randomness import stream
from pt4al.statistics import pretext_checks
from pt4al.training.networks import Network

GUESSED = ("rotation", "jigsaw")  # tasks whose loss is the cross-entropy of one of their outputs
SAMPLE = 4_000  # images scored again: rank correlations are then known to about 0.03


def check_pretext(
    pool: ImagePool,
    images: ImagePool | Features,
    network: Network,
    curve: pd.DataFrame,
    losses: StoredTable,
    settings: Parameters,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the checks, and what the losses were made with, to compare them with others."""
    pretext = settings.pretext
    run = settings.run
    task = PRETEXT_TASKS[pretext.task]
    viewed = pretext.start_from == "features"
    noisy = None
    # Features are of pictures without the noise that would be added here.
    if not viewed:
        size = min(SAMPLE, len(pool))
        rows = np.sort(stream(run.seed, "pretext_checks").choice(len(pool), size, replace=False))
        noisy = score_twice(task, network, images, settings.engine.hardware, rows)
    first_epoch = float(curve["loss"].iloc[0]) if len(curve) else None
    chance = None
    if pretext.task in GUESSED:
        chance = math.log(task.viewed if viewed else task.outputs)
    values = losses.read(["pretext_loss"])["pretext_loss"].to_numpy()
    checks = pretext_checks.checks(noisy, values, first_epoch, chance)
    made_with = flat(pretext.model_dump(mode="json")) | {"seed": run.seed, "pool": pool.sha256}
    return checks, made_with


def compare_rankings(
    own: dict, all_losses: dict[str, Callable], all_settings: dict[str, Callable]
) -> pd.DataFrame:
    """Return how far the losses of tasks and seeds agree on this pool.

    Parameters
    ----------
    all_losses, all_settings
        Functions that load a file, by its folder; they return None where the file is damaged.

    Returns
    -------
    `one`, `other`, `correlation`, `low`, `high`, `images`.
    """
    losses = {}
    made_with = {}
    for folder in sorted(all_losses.keys() & all_settings.keys()):
        settings = all_settings[folder]()
        if not settings or settings["pool"] != own["pool"]:
            continue
        table = all_losses[folder]()
        if table is not None:
            losses[folder] = table
            made_with[folder] = settings
    names = pretext_checks.distinct_names(made_with)
    return pretext_checks.agreement({names[folder]: losses[folder] for folder in losses})
