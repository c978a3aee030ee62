"""benchmarks/gpu.py without a GPU, where nothing but the core can be imported; and what makes its checks fail."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch

from pt4al.training.precision import Hardware
from support.projects import ROOT

BENCHMARKS = ROOT / "benchmarks"
ABSENT = [
    "kedro",
    "kedro_datasets",
    "omegaconf",
    "mlflow",
    "dvc",
    "segmentation_models_pytorch",
    "scikit_posthocs",
    "skactiveml",
    "matplotlib",
]
CPU = Hardware("cpu", "fp32")


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Import a module of benchmarks/; it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield importlib.import_module
    for name, loaded in list(sys.modules.items()):  # `training` and the like stand for nothing elsewhere
        if Path(getattr(loaded, "__file__", None) or "").parent == BENCHMARKS:
            del sys.modules[name]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess, dict]:
    """What `python benchmarks/gpu.py --device cpu --quick` printed and wrote, with the core alone."""
    folder = tmp_path_factory.mktemp("gpu")
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({ABSENT}))\n")
    path = f"{folder}{os.pathsep}{ROOT / 'src'}"
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), "--device=cpu", "--quick", f"--output={folder}"]
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done, json.loads((folder / "gpu.json").read_text())


def test_the_script_runs_with_the_core_alone_and_ends_well(written) -> None:
    done, facts = written
    assert done.returncode == 0, done.stdout + done.stderr
    assert facts["device"] == "cpu"


def test_every_check_passes_on_a_processor(written) -> None:
    checks = [row for row in written[1]["rows"] if row["part"] == "check" and row["value"] is not None]
    assert len(checks) > 30
    assert [row for row in checks if row["passed"] is not True] == []
    assert {row["what"].split()[-1] for row in checks} >= {"fp32", "bf16"}


def test_every_rate_is_measured_and_what_needs_a_gpu_is_not_made_up(written) -> None:
    rows = written[1]["rows"]
    rates = [row for row in rows if row["part"] == "rate"]
    assert len(rates) == 11
    assert all(row["value"] > 0 for row in rates)
    missing = {row["part"] for row in rows if row["value"] is None}
    assert missing == {"check", "memory", "step"}
    assert {row["beside"] for row in rows if row["value"] is None} == {"not measured on a CPU"}


def test_the_papers_run_is_extrapolated(written) -> None:
    assert [row["value"] > 0 for row in written[1]["rows"] if row["part"] == "paper"] == [True]


@pytest.mark.parametrize("planted", [1.001, np.nan])
def test_a_planted_disagreement_fails_a_check(module, planted) -> None:
    checks = module("gpu_checks")
    reference = np.linspace(0, 2, 100)
    found = reference.copy()
    found[70] *= planted
    assert checks.close("losses", reference, reference, 0).passed
    assert not checks.close("losses", found, reference, 1e-4).passed


def test_a_query_with_one_image_in_ten_exchanged_fails_a_check(module) -> None:
    ids = pd.Series([f"image {row}" for row in range(10)])
    checks = module("gpu_checks")
    assert checks.shared("query", ids[::-1], ids, 1).passed
    assert not checks.shared("query", ids.replace("image 3", "image 10"), ids, 0.99).passed


def test_a_network_that_computes_something_else_fails_the_comparison(module, monkeypatch) -> None:
    """The reference is wrong by one part in a thousand."""
    checks, pools = module("gpu_checks"), module("pools")
    pool, _ = pools.made(8, (1, 28, 28))
    right = checks._reference
    monkeypatch.setattr(checks, "_reference", lambda *arguments: right(*arguments) * 1.001)
    compared = {row.what: row.passed for row in checks._pretext_losses(CPU, pool)}
    assert compared == {
        "pretext loss, rotation, fp32": False,
        "pretext loss, colorization, fp32": False,
        "pretext loss, jigsaw, fp32": False,
        "pretext loss, simsiam, fp32": False,
        "pretext loss, embedding, fp32": True,  # not trained: compared with itself
    }


def test_networks_that_differ_in_a_bit_are_not_the_same(module, monkeypatch) -> None:
    checks, pools = module("gpu_checks"), module("pools")
    pool, targets = pools.made(8, (1, 28, 28))
    training = checks.Trained("resnet8_w16", pool, checks.classification.loss, 10, targets)
    assert checks._twice(training, CPU, 1).passed
    seeds = iter([0, 1])
    monkeypatch.setattr(checks, "stream", lambda *arguments: np.random.default_rng(next(seeds)))
    row = checks._twice(training, CPU, 1)
    assert row.passed is False
    assert row.value > 0.5


def test_what_fails_is_a_row_and_the_rest_goes_on(module, tmp_path, capsys) -> None:
    report = module("gpu_report").Report(tmp_path, {"device": "cuda"})

    def broken(device: str) -> Iterator:
        yield from ()
        raise RuntimeError(f"no kernel image is available on {device}")

    report.collect("rate", broken, "cuda")
    assert report.failed
    row = json.loads((tmp_path / "gpu.json").read_text())["rows"][0]
    assert row["passed"] is False
    assert row["beside"] == "RuntimeError: no kernel image is available on cuda"
    assert "FAILED" in capsys.readouterr().out


def test_seconds_of_the_papers_run_follow_from_the_rates(module) -> None:
    paper, row = module("gpu_paper"), module("gpu_report").Row
    settings = paper.settings(CPU)
    rates = {"train": 1000.0, "pretext": 100.0, "score": 10_000.0}
    rows = [row("rate", f"{what}, resnet18 at 32 px, bf16", rate) for what, rate in rates.items()]
    rows.append(row("rate", "train, resnet8_w16 at 28 px, bf16", 1.0))
    # 200 epochs of 1,000, 2,000 ... 10,000 labels; 15 of the pool; scored: pool in four turns, nine batches, ten tests.
    expected = 200 * 55_000 / 1000 + 15 * 50_000 / 100 + (4 * 50_000 + 9 * 5000 + 10 * 10_000) / 10_000
    assert paper.extrapolated(rows, settings) == pytest.approx(expected)
    assert paper.extrapolated(rows[1:], settings) is None


def test_the_whole_run_goes_through_its_cycles(module, monkeypatch) -> None:
    paper = module("gpu_paper")
    monkeypatch.setattr(paper, "IMAGES", 60)
    monkeypatch.setattr(paper, "TESTED", 20)
    small = "network=resnet8_w16,{0}.schedule.epochs=1,{0}.schedule.minibatch=10"
    changes = ",".join(f"{stage}.{small.format(stage)}" for stage in ("pretext", "main"))
    params = f"{paper.PARAMS},{changes},cycles.number=3,cycles.budget=5,engine.device=cpu,engine.precision=fp32"
    rows = list(paper.whole(paper.configuration.read("paper", params), CPU, None))
    assert [row.what for row in rows] == [
        "pretext training and losses",
        "cycle 0",
        "cycle 1",
        "cycle 2",
        "the whole run",
    ]
    assert "15 labels, of random images" in rows[3].beside
    assert all(row.value > 0 for row in rows)


def test_a_gpu_that_is_not_there_is_one_message(module, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--device=cuda", f"--output={tmp_path}"])
    with pytest.raises(SystemExit, match="2"):
        module("gpu").main()
    assert "there is no CUDA device here" in capsys.readouterr().err
