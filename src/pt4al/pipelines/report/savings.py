"""Node of stage `report` that asks a run's random labels what its other labels have saved."""

from functools import partial

import numpy as np

from pt4al.features.probe import is_right, narrowed
from pt4al.features.vectors import Features
from pt4al.labels.label_set import drawn_at_random
from pt4al.pipelines.report.history import RunHistory
from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.next_commands import chooses_at_random
from pt4al.randomness import stream
from pt4al.statistics.random_equivalent import estimate, too_few


def estimate_savings(history: RunHistory, features: Features) -> dict:
    """Return how many random labels would be as good as the run's.

    See `pt4al.statistics.random_equivalent.estimate`. Nothing of masks, and of a run that itself
    chooses at random.
    """
    settings = history.settings
    if history.task.dense or chooses_at_random(flat(settings.model_dump(mode="json"))):
        return {}
    label_set = history.label_set
    in_pool = settings.query.scope == "pool"
    at_random = np.flatnonzero(drawn_at_random(label_set, first_query=in_pool))
    excuse = too_few(len(label_set), len(at_random))
    if excuse:
        return excuse
    vectors = narrowed(features.gather(features.rows(label_set["id"])).numpy())
    targets = history.task.targets(label_set["label"], history.classes).numpy()
    probe = partial(is_right, vectors, targets, len(history.classes))
    return estimate(len(label_set), at_random, probe, stream(settings.run.seed, "savings"))
