"""Clusters that tests share: two processes of this machine, and one Ray session a module."""

from collections.abc import Iterator

import pytest

from pt4al.cluster.seam import Cluster


@pytest.fixture(scope="module")
def on_ray() -> Iterator[Cluster]:
    """Two workers of a Ray that is started for the module."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install pt4al[ray]")
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("RAY_ADDRESS", raising=False)
        yield Cluster("ray", workers=2)
    ray.shutdown()


@pytest.fixture(params=["local", "ray"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Two workers, of either kind."""
    if request.param == "ray":
        return request.getfixturevalue("on_ray")
    return Cluster("local", workers=2)
