"""Clusters that tests share: two processes of this machine, and two workers of a Ray."""

import pytest

from pt4al.cluster.seam import Cluster


@pytest.fixture(params=["local", "ray"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Two workers, of either kind."""
    if request.param == "ray":
        return request.getfixturevalue("on_ray")
    return Cluster("local", workers=2)
