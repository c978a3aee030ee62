"""Nodes that check pretext losses before any label."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from pt4al.features.vectors import Features
from pt4al.images.pool import ImagePool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.pretext.shortcut import score_twice
from pt4al.project.configuration.parameters import Engine, Pretext, Run, flat
from pt4al.randomness import stream
from pt4al.statistics import pretext_checks
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware

GUESSED = ("rotation", "jigsaw")  # tasks whose loss is the cross-entropy of one of their outputs
SAMPLE = 4_000  # images scored again: rank correlations are then known to about 0.03


def check_pretext(
    pool: ImagePool,
    images: ImagePool | Features,
    network: Network,
    curve: pd.DataFrame,
    losses: pd.DataFrame,
    pretext: Pretext,
    engine: Engine,
    run: Run,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the checks, and what the losses were made with, for those who compare them with others."""
    task = PRETEXT_TASKS[pretext.task]
    noisy = None
    # Features are of pictures without the noise that would be added here.
    if pretext.start_from != "features":
        size = min(SAMPLE, len(pool))
        rows = np.sort(stream(run.seed, "pretext_checks").choice(len(pool), size, replace=False))
        noisy = score_twice(task, network, images, Hardware(engine.device, engine.precision), rows)
    first_epoch = float(curve["loss"].iloc[0]) if len(curve) else None
    settings = flat(pretext.model_dump(mode="json")) | {"seed": run.seed, "pool": pool.sha256}
    outputs = task.outputs if pretext.start_from != "features" else task.viewed
    chance = math.log(outputs) if pretext.task in GUESSED else None
    return pretext_checks.checks(
        noisy, losses["pretext_loss"].to_numpy(), first_epoch, chance
    ), settings


def compare_rankings(
    own: dict, all_losses: dict[str, Callable], all_settings: dict[str, Callable]
) -> pd.DataFrame:
    """Return `one`, `other`, `correlation`, `low`, `high`, `images`: how far tasks and seeds agree on this pool.

    Each of both dicts holds functions that load a file, by its folder; None where the file is
    damaged.
    """
    made = {
        folder: all_settings[folder]() for folder in sorted(all_losses.keys() & all_settings.keys())
    }
    made = {
        folder: facts for folder, facts in made.items() if facts and facts["pool"] == own["pool"]
    }
    losses = {folder: all_losses[folder]() for folder in made}
    made = {folder: facts for folder, facts in made.items() if losses[folder] is not None}
    names = pretext_checks.distinct_names(made)
    return pretext_checks.agreement({names[folder]: losses[folder] for folder in made})
