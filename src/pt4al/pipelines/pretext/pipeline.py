"""Wiring of stage `pretext`."""

from kedro.pipeline import Pipeline

from pt4al.pipelines.options import GraphOptions
from pt4al.pipelines.pretext import checks, nodes
from pt4al.pipelines.settings import settings_node

BLOCKS = ("pretext", "engine", "run")


def create_pipeline(options: GraphOptions) -> Pipeline:
    """Return what trains the task, takes its losses and checks them before any label.

    The task is trained on images, or on features of their views.
    """
    images = {"images": "task_features" if options.views else "pool"}
    scored = {"pool": "pool", "network": "pretext_network", "earlier": "known_pretext_loss"}
    checked = {
        "pool": "pool",
        "network": "pretext_network",
        "curve": "pretext_curve",
        "losses": "pretext_loss",
    }
    trained = ["pretext_network", "pretext_curve"]
    written = ["pretext_checks", "pretext_settings"]
    train = settings_node(nodes.train, images, BLOCKS, trained, "train_pretext")
    score = settings_node(nodes.score, images | scored, BLOCKS, "pretext_loss", "score_pretext")
    check = settings_node(checks.check_pretext, images | checked, BLOCKS, written, "check_pretext")
    return Pipeline([train, score.tag("grows"), check.tag("grows")], tags="pretext")
