"""Where there is no cluster, one sentence says so."""

import pytest

from pt4al.cluster.seam import Cluster, in_shards
from pt4al.errors import InputError


def test_without_a_cluster_at_the_address_it_is_said():
    pytest.importorskip("ray")
    with pytest.raises(InputError, match=r"ray://127\.0\.0\.1:1: no Ray cluster that can be used answers"):
        list(in_shards(lambda _, shard: shard, [[1]], Cluster("ray://127.0.0.1:1")))
