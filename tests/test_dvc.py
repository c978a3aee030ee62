"""The published run in a real DVC repository of its own, at tiny size."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.projects import ROOT

LATER = re.compile(r"cycle_[234]|c[234]:")  # lines of cycles that a tiny run doesn't have
REPORTING = "data/published/08_reporting/published"


def merged(base: dict, change: dict) -> dict:
    both = {key: merged(base[key], value) if isinstance(value, dict) else value for key, value in change.items()}
    return {**base, **both}


def command(project: Path, *words: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "true"}
    done = subprocess.run(words, cwd=project, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def change_base(project: Path, change: dict) -> None:
    path = project / "conf/base/parameters.yml"
    path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), change)))


@pytest.fixture
def repository(project: Path) -> Path:
    shutil.rmtree(project / "src")
    shutil.copytree(ROOT / "src" / "pt4al", project / "src" / "pt4al", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, project)
    stages = (ROOT / "dvc.yaml").read_text().splitlines(keepends=True)
    (project / "dvc.yaml").write_text("".join(line for line in stages if not LATER.search(line)))
    (project / "data/01_raw").unlink()
    shutil.copytree(ROOT / "data/01_raw/fashion_mnist", project / "data/01_raw/fashion_mnist")
    tiny = yaml.safe_load((project / "conf/tiny/parameters.yml").read_text())
    tiny.pop("run")
    tiny["cycles"]["number"] = 2
    change_base(project, tiny)
    command(project, "git", "init", "-q")
    command(project, "dvc", "init", "-q")
    return project


@pytest.mark.timeout(900)
def test_the_published_run_is_reproduced_stage_by_stage(repository: Path) -> None:
    lock = repository / "dvc.lock"
    command(repository, "dvc", "repro")
    first = lock.read_bytes()

    assert "up to date" in command(repository, "dvc", "repro")
    assert lock.read_bytes() == first

    command(repository, "dvc", "repro", "--force", "--single-item", "cycle@c1")
    assert lock.read_bytes() == first

    metrics = json.loads(command(repository, "dvc", "metrics", "show", "--json"))
    found = metrics[""]["data"][f"{REPORTING}/final_metrics.json"]["data"]
    assert found["labels"] == 40
    command(repository, "dvc", "plots", "show", "--out", "plots")

    change_base(repository, {"cycles": {"budget": 10}})
    log = command(repository, "dvc", "repro", "--dry", "cycle@c1")
    for stage in ("pool", "pretext", "ranking"):
        assert f"Stage '{stage}' didn't change, skipping" in log
    for stage in ("cycle_0", "cycle@c1"):
        assert f"Running stage '{stage}'" in log
    command(repository, "dvc", "repro", "cycle_0")
    assert json.loads((repository / REPORTING / "cycle_0/metrics.json").read_text())["labels"] == 10


def test_dvc_has_a_stage_for_each_cycle_of_the_default() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    numbers = [item["number"] for item in stages["cycle"]["foreach"].values()]
    base = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
    assert [0, *numbers] == list(range(base["cycles"]["number"]))
