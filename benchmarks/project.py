"""A copy of this project to run in, and the commands that one types there."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from configuration import ROOT
from plain import digest

BIN = Path(sys.executable).parent
# Nodes of a run that plain.py does too; all others make pages, pictures, reasons and checks.
SHARED = [
    "build_pool",
    "build_test_pool",
    "label_pool",
    "label_test",
    "train_pretext",
    "score_pretext",
    "rank_pool",
    "choose_query",
    "ask_oracle",
    "audit_pretext",
    "extend_label_set",
    "train_main",
    "evaluate",
    "collect_curve",
]
MADE = ("02_intermediate", "04_feature", "05_model_input", "06_models", "07_model_output", "08_reporting")


@dataclass(frozen=True)
class Done:
    """A run: its seconds, those of them in nodes that plain.py leaves out, and the hashes of its queries."""

    seconds: float
    apart: float
    queries: str


class Project:
    """Settings, code and data of a project, and a stopwatch."""

    def __init__(self, folder: Path):
        self.folder = folder
        for part in ("conf", "src/pt4al", "data/01_raw"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("pyproject.toml", "dvc.yaml", ".dvcignore"):
            shutil.copy(ROOT / file, folder)

    def kedro(self, params: str) -> Done:
        """Do the tiny run from the beginning."""
        for layer in MADE:
            shutil.rmtree(self.folder / "data" / layer, ignore_errors=True)
        seconds, _ = self.time("kedro", "run", "--pipelines=active_learning", "--env=tiny", f"--params={params}")
        timings = pd.read_json(self.folder / "data/08_reporting/tiny/timings.jsonl", lines=True)
        apart = timings["seconds"][~timings["node"].isin(SHARED)].sum()
        queries = sorted((self.folder / "data/05_model_input/tiny").glob("cycle_*/query.parquet/*/query.parquet"))
        return Done(seconds, apart, " ".join(digest(pd.read_parquet(path)["id"]) for path in queries))

    def plain(self, params: str) -> Done:
        """Do the same without Kedro and MLflow."""
        script = str(ROOT / "benchmarks" / "plain.py")
        seconds, output = self.time("python", script, "--env=tiny", f"--params={params}")
        return Done(seconds, 0, " ".join(json.loads(output.splitlines()[-1])["queries"]))

    def shrink_published(self) -> None:
        """Make the published run as small as the tiny one, but for its cycles, whose number stands in dvc.yaml."""
        tiny, published = (
            yaml.safe_load((self.folder / "conf" / env / "parameters.yml").read_text()) for env in ("tiny", "published")
        )
        shrunk = tiny | published | {"cycles": {"budget": tiny["cycles"]["budget"]}}
        (self.folder / "conf/published/parameters.yml").write_text(yaml.safe_dump(shrunk))

    def time(self, program: str, *arguments: str) -> tuple[float, str]:
        """Return a command's seconds and what it printed; RuntimeError if it fails."""
        environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(self.folder / "src")}
        command, start = [str(BIN / program), *arguments], time.perf_counter()
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return seconds, done.stdout
