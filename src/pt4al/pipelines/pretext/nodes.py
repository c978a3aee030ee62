"""Nodes of stage `pretext`."""

import pandas as pd

from pt4al.images.pool import ImagePool
from pt4al.parameters import Engine, Pretext, Run
from pt4al.pretext import PRETEXT_TASKS
from pt4al.randomness import stream, torch_generator
from pt4al.training.engine import fit, predict
from pt4al.training.networks import Network, build
from pt4al.training.precision import Hardware


def train(pool: ImagePool, pretext: Pretext, engine: Engine, run: Run) -> tuple[Network, pd.DataFrame]:
    """Return the pretext network and its training curve."""
    task, rng = PRETEXT_TASKS[pretext.task], stream(run.seed, "pretext")
    network = build(pretext.network, task.outputs, pool.mean, pool.std, torch_generator(rng))
    hardware = Hardware(engine.device, engine.precision)
    curve = fit(network, task.loss, pool, pretext.schedule, rng, hardware, augment=pretext.augment, title=pretext.task)
    return network, curve


def score(pool: ImagePool, network: Network, pretext: Pretext, engine: Engine) -> pd.DataFrame:
    """Return `id`, `pretext_loss`, in pool order."""
    hardware = Hardware(engine.device, engine.precision)
    losses = predict(network, PRETEXT_TASKS[pretext.task].loss, pool, hardware, title="pretext loss")
    return pd.DataFrame({"id": pool.ids, "pretext_loss": losses})
