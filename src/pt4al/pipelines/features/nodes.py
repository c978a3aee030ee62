"""Nodes of stage `features`."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from pt4al.features import backbones, neighbours, store, vectors
from pt4al.images.pool import ImagePool
from pt4al.pipelines.pool.listing import collect
from pt4al.pretext import PRETEXT_TASKS
from pt4al.project.configuration.parameters import Engine, Features, Pool, Pretext
from pt4al.randomness import stream, torch_generator
from pt4al.statistics import feature_checks
from pt4al.training.engine import predict
from pt4al.training.networks import Network, redrawn

Write = Callable[..., None]  # given a folder to write to, and perhaps an older version

CHECKED = 1_000  # images whose neighbours are looked at


def load_network(features: Features) -> Network:
    """Return the network whose features are computed."""
    return backbones.load(features.network, features.weights, features.size).network


def compute(
    pool: ImagePool, network: Network, source: Pool, features: Features, engine: Engine
) -> Write:
    """Return what computes the features of the pool's pictures, (N, D), and writes them."""
    return partial(
        store.compute,
        collect(source)["train"],
        pool.ids,
        backbones.restore(features.network, network),
        hardware=engine.hardware,
    )


def compute_test(
    test_pool: ImagePool, network: Network, source: Pool, features: Features, engine: Engine
) -> Write:
    """Return what computes the features of the test split's pictures, (N, D), and writes them."""
    return partial(
        store.compute,
        collect(source)["test"],
        test_pool.ids,
        backbones.restore(features.network, network),
        hardware=engine.hardware,
    )


def compute_views(
    pool: ImagePool,
    network: Network,
    source: Pool,
    features: Features,
    engine: Engine,
    pretext: Pretext,
) -> Write:
    """Return what computes features of the views that the task tells apart, (N, views, D)."""
    write = compute(pool, network, source, features, engine)
    return partial(write, views=PRETEXT_TASKS[pretext.task].views)


def compute_from_pool(pool: ImagePool, network: Network, engine: Engine) -> Write:
    """Return what computes features of decoded images, (N, D), by the pretext network."""
    return partial(store.compute_from_pool, pool, network, hardware=engine.hardware)


def check(
    pool: ImagePool, features: vectors.Features, network: Network, engine: Engine
) -> pd.DataFrame:
    """Return what can be said of the features without a label: see `statistics.feature_checks`."""
    size = min(CHECKED, len(pool))
    rows = np.sort(stream(0, "feature_checks").choice(len(pool), size, replace=False))
    own = features.gather(features.rows(pool.ids.iloc[rows])).numpy()
    untrained = redrawn(network, torch_generator(stream(0, "untrained")))
    other = predict(untrained, Network.features, pool, engine.hardware, rows, title="untrained")
    nearest = neighbours.nearest(own)
    return feature_checks.checks(
        images=size,
        agreement=neighbours.agreement(nearest, neighbours.nearest(other)),
        chance=nearest.shape[1] / (size - 1),
        hubs=neighbours.hub_share(nearest),
        dimension=neighbours.effective_dimension(own),
        width=own.shape[1],
    )
