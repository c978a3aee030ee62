"""Wiring of stage `features`."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.features import nodes
from pt4al.pipelines.options import GraphOptions


def create_pipeline(options: GraphOptions) -> Pipeline:
    """Return what computes the features of the pool, and of what else a run reads features of."""
    if options.own_trunk:
        return _from_pretext(options)
    inputs = ["features_network", "params:pool", "params:features", "params:engine"]
    computed = [
        Node(nodes.compute, ["pool", *inputs], "features", name="compute_features", tags="grows")
    ]
    if options.probes or options.compares:
        wired = ["test_pool", *inputs]
        computed.append(
            Node(
                nodes.compute_test,
                wired,
                "test_features",
                name="compute_test_features",
                tags="grows",
            )
        )
    if options.views:
        wired = ["pool", *inputs, "params:pretext"]
        computed.append(
            Node(nodes.compute_views, wired, "task_features", name="compute_views", tags="grows")
        )
    load = Node(
        nodes.load_network, "params:features", "features_network", name="load_features_network"
    )
    return Pipeline([load, *computed, _check("features_network")], tags="features")


def _from_pretext(options: GraphOptions) -> Pipeline:
    """Features of the pretext network's own trunk."""
    pools = {"pool": "features"}
    if options.probes:
        pools["test_pool"] = "test_features"
    return Pipeline(
        [
            Node(
                nodes.compute_from_pool,
                [pool, "pretext_network", "params:engine"],
                features,
                name=f"compute_{features}",
                tags="grows",
            )
            for pool, features in pools.items()
        ]
        + [_check("pretext_network")],
        tags="features",
    )


def _check(network: str) -> Node:
    inputs = ["pool", "features", network, "params:engine"]
    return Node(nodes.check, inputs, "feature_checks", name="check_features", tags="grows")
