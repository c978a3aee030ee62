"""Nodes of stage `pretext`."""

import numpy as np
import pandas as pd

from pt4al.images.pool import ImagePool
from pt4al.parameters import Engine, Pretext, Run
from pt4al.pretext import PRETEXT_TASKS
from pt4al.randomness import stream, torch_generator
from pt4al.training.engine import fit, predict
from pt4al.training.networks import Network, build, load_pretrained
from pt4al.training.precision import Hardware


def train(pool: ImagePool, pretext: Pretext, engine: Engine, run: Run) -> tuple[Network, pd.DataFrame]:
    """Return the pretext network and its training curve."""
    task, rng = PRETEXT_TASKS[pretext.task], stream(run.seed, "pretext")
    network = build(pretext.network, task.outputs, pool.mean, pool.std, torch_generator(rng), dense=task.dense)
    if pretext.start_from == "pretrained":
        load_pretrained(network, pretext.weights)
    hardware = Hardware(engine.device, engine.precision)
    curve = fit(network, task.loss, pool, pretext.schedule, rng, hardware, augment=pretext.augment, title=pretext.task)
    return network, curve


def score(pool: ImagePool, network: Network, known: pd.DataFrame, pretext: Pretext, engine: Engine) -> pd.DataFrame:
    """Return `id`, `digest`, `pretext_loss`, in pool order; images whose loss is known already keep it."""
    hardware = Hardware(engine.device, engine.precision)
    table = pool.fingerprints[["id", "digest"]].assign(pretext_loss=np.float32(np.nan))
    if len(known):
        table = table.drop(columns="pretext_loss").merge(known, on=["id", "digest"], how="left")
    new = np.flatnonzero(table["pretext_loss"].isna())
    if len(new):
        losses = predict(network, PRETEXT_TASKS[pretext.task].loss, pool, hardware, new, title="pretext loss")
        table.loc[new, "pretext_loss"] = losses
    return table
