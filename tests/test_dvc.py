"""The published run in a real DVC repository of its own, at tiny size, and what its verdict says."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Pipeline

from pt4al.pipeline_registry import register_pipelines
from pt4al.settings import CONFIG_LOADER_ARGS
from support.projects import ROOT, kedro

LATER = re.compile(r"cycle_[234]|c[234]:")  # lines of cycles that a tiny run doesn't have
REPORTING = "data/published/08_reporting/published"
PHOTOS = "data/01_raw/fashion_mnist"
# The default, on few photos, in two cycles.
TINY = {
    "pool": {"source": {"path": PHOTOS}, "limit": {"train": 60, "test": 30}},
    "pretext": {"schedule": {"epochs": 1, "minimum_steps": 0}},
    "cycles": {"number": 2, "budget": 20},
}
# What a report reads if it is there, and what it makes that DVC needs not keep.
OTHER_RUNS = {"known_pretext_loss", "all_pretext_losses", "all_pretext_settings", "run_curves", "timings", "reads"}
OTHER_RUNS |= {"runs", "chapters"}  # of which DVC's run has none
TEXT = {"intake_link", "next_commands", "default_parameters"}  # of the catalog itself, and of conf/
PAGES = {"report", "pictures", "reason_sheets", "verdict", "failures", "failure_pictures", "map", "map_preview"}
IN_MEMORY = {"run_history", "curves"}


@pytest.mark.parametrize("target", ["repro", "publish"])
def test_make_lets_dvc_find_kedro_where_no_environment_is_activated(target: str) -> None:
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if line.endswith("dvc repro")]
    found = subprocess.run(
        ["sh", "-c", line.rpartition(" ")[0].rpartition(" ")[0] + " sh -c 'echo $PATH'"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert found.stdout.startswith(f"{ROOT}/.venv/bin:")


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
    shutil.copytree(ROOT / PHOTOS, project / PHOTOS)
    change_base(project, TINY)
    command(project, "git", "init", "-q")
    command(project, "dvc", "init", "-q")
    return project


def check_verdict(repository: Path) -> None:
    command(repository, "kedro", "publish")
    machine = json.loads((repository / REPORTING / "made_on.json").read_text())
    assert list(machine.values()) == [["pool", "features", "pretext", "ranking", "cycle_0", "report", "cycle_1"]]
    assert "kept to avx2" in next(iter(machine))
    assert "the same queries in 2 of 2 cycles; accuracies equal" in command(repository, "kedro", "verdict")
    queries = repository / "data/published/reference/queries.csv"
    queries.write_text(queries.read_text().replace("\n1,", "\n1,other ", 1))
    other = kedro("verdict", cwd=repository)
    assert other.returncode == 1
    assert "first difference: cycle 1, which shares 19 of 20 images; image 1 was other " in other.stdout


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
    check_verdict(repository)

    change_base(repository, {"cycles": {"budget": 10}})
    log = command(repository, "dvc", "repro", "--dry", "cycle@c1")
    for stage in ("pool", "features", "pretext", "ranking"):
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
    assert base["pool"]["source"]["path"] == PHOTOS


def stages() -> dict[str, dict]:
    """The stages of dvc.yaml by name; that of each cycle after the first, too."""
    found = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    template = found.pop("cycle")
    for item in template["foreach"].values():
        text = yaml.safe_dump(template["do"])
        for name, value in item.items():
            text = text.replace(f"${{item.{name}}}", str(value))
        found[f"cycle_{item['number']}"] = yaml.safe_load(text)
    return found


def part(stage: str) -> Pipeline:
    """What a stage runs."""
    pipelines = register_pipelines()
    if stage.startswith("cycle_"):
        return pipelines["cycles"].filter(node_namespaces=[stage])
    return pipelines[stage]


def places(names: set[str]) -> set[str]:
    """Where the published run has these datasets."""
    loader = OmegaConfigLoader(str(ROOT / "conf"), env="published", **CONFIG_LOADER_ARGS)
    loader["globals"] |= {"run": "published"}
    catalog = loader["catalog"]
    kept = set()
    for name in names:
        entry = catalog.get(name) or catalog["{cycle}." + name.partition(".")[2]]
        path = entry["filepath"].replace("{cycle}", name.partition(".")[0])
        kept.add(path)
    return kept


@pytest.mark.parametrize("name", stages())
def test_a_stage_of_dvc_names_all_that_it_reads_and_writes(name: str) -> None:
    bootstrap_project(ROOT)
    stage, pipeline = stages()[name], part(name)
    read = {dataset for dataset in pipeline.inputs() if not dataset.startswith("param")}
    assert places(read - OTHER_RUNS - TEXT) <= set(stage["deps"])
    written = {path for kind in ("outs", "metrics", "plots") for path in map(path_of, stage.get(kind, []))}
    assert places(pipeline.all_outputs() - PAGES - IN_MEMORY) == written


def path_of(out: str | dict) -> str:
    return out if isinstance(out, str) else next(iter(out))


@pytest.mark.parametrize("name", stages())
def test_what_a_stage_of_dvc_depends_on_is_there(name: str) -> None:
    for path in stages()[name]["deps"]:
        assert path.startswith("data/published") or (ROOT / path).exists(), path
    for file in stages()[name].get("params", []):
        for path, keys in file.items():
            settings = yaml.safe_load((ROOT / path).read_text())
            for key in keys:
                block, _, setting = key.partition(".")
                assert block in settings, key
                assert not setting or setting in settings[block], key


@pytest.mark.parametrize("name", stages())
def test_a_stage_of_dvc_depends_on_each_block_of_settings_that_it_reads(name: str) -> None:
    read = {dataset.removeprefix("params:") for dataset in part(name).inputs() if dataset.startswith("params:")}
    named: set[str] = set()
    for file in stages()[name].get("params", []):
        named |= {key.partition(".")[0] for keys in file.values() for key in keys}
    assert read <= named
