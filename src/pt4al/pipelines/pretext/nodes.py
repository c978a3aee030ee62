"""Nodes of stage `pretext`."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pt4al.images.pool import ImagePool
from pt4al.parameters import Engine, Pretext, Run
from pt4al.pretext import PRETEXT_TASKS
from pt4al.pretext.losses import cross_fitted, mean_over_epochs
from pt4al.randomness import stream, torch_generator
from pt4al.training.engine import CURVE, fit
from pt4al.training.networks import Network, build, load_pretrained
from pt4al.training.precision import Hardware

IN_SAMPLE = "in_sample"


def train(
    pool: ImagePool, pretext: Pretext, engine: Engine, run: Run, *, turn: int = 0, **fitting: Any
) -> tuple[Network, pd.DataFrame]:
    """Return the pretext network and its training curve.

    `turn` is 0 for the network that is handed on, another number for others that only score; `fitting`
    goes to `engine.fit`.
    """
    task, rng = PRETEXT_TASKS[pretext.task], stream(run.seed, "pretext", turn)
    generator = torch_generator(rng)
    network = build(pretext.network, task.outputs, pool.mean, pool.std, generator, dense=task.dense, head=task.head)
    if pretext.start_from == "pretrained":
        load_pretrained(network, pretext.weights)
    if not task.trains:
        return network, pd.DataFrame(columns=CURVE)
    hardware, settings = Hardware(engine.device, engine.precision), {"augment": pretext.augment, "title": pretext.task}
    return network, fit(network, task.loss, pool, pretext.schedule, rng, hardware, **settings, **fitting)


def score(
    pool: ImagePool, network: Network, known: pd.DataFrame, pretext: Pretext, engine: Engine, run: Run
) -> pd.DataFrame:
    """Return `id`, `digest`, `pretext_loss`, in pool order; images whose loss is known already keep it.

    Those that the pool has grown by are scored by the pretext network, which has not seen them, whatever
    `pretext.losses` says.
    """
    table = pool.fingerprints[["id", "digest"]].assign(pretext_loss=np.float32(np.nan))
    if len(known):
        table = table.drop(columns="pretext_loss").merge(known, on=["id", "digest"], how="left")
    new = np.flatnonzero(table["pretext_loss"].isna())
    if len(new):
        first = pretext.losses if len(new) == len(pool) else IN_SAMPLE
        table.loc[new, "pretext_loss"] = _losses(first, pool, network, new, pretext, engine, run)
    return table


def _losses(
    kind: str, pool: ImagePool, network: Network, rows: np.ndarray, pretext: Pretext, engine: Engine, run: Run
) -> np.ndarray:
    task, hardware = PRETEXT_TASKS[pretext.task], Hardware(engine.device, engine.precision)
    again = partial(train, pool, pretext, engine, run)
    if kind == "cross_fitted":
        return cross_fitted(task, again, pool, hardware, stream(run.seed, "pretext_half"))
    if kind == "mean_over_epochs":
        return mean_over_epochs(task, again, pool, hardware)
    return task.score(network, pool, hardware, rows)
