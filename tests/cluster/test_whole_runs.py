"""A whole run leaves the same bytes, whoever does its work in shards."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from pt4al.features import computing
from pt4al.images import building
from pt4al.training import engine
from support.projects import WITHOUT_REPORT, run, tables

VERSION = re.compile(r"/\d{4}-\d\d-\d\dT[^/]*")
MADE = (".npy", ".safetensors", ".parquet")


def made(project: Path) -> dict[str, str]:
    """Hashes of pools, features, losses and networks, by their paths without versions."""
    found: dict[str, str] = {}
    for layer in ("02_intermediate", "04_feature", "06_models"):
        for path in sorted((project / "data" / layer).glob("**/*")):
            if path.is_file() and path.suffix in MADE:
                name = VERSION.sub("", path.relative_to(project / "data").as_posix())
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.mark.parametrize(
    "setting",
    [{"cluster": "ray"}, pytest.param({"workers": 2}, marks=pytest.mark.slow)],
    ids=["Ray", "two processes"],
)
def test_a_run_leaves_the_same_bytes_as_in_one_process(
    setting: dict[str, Any],
    finished: Path,
    project: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "cluster" in setting:
        request.getfixturevalue("on_ray")
    monkeypatch.setattr(building, "SHARD", 64)
    monkeypatch.setattr(computing, "SHARD", 64)
    monkeypatch.setattr(engine, "SHARD", 1)
    run(project, WITHOUT_REPORT, engine=setting)
    assert tables(project) == tables(finished)
    here = made(project)
    there = made(finished)
    assert len(here) > 12
    assert here == {name: there[name] for name in here}
