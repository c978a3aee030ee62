"""Scripts of benchmarks/, run in this process: imports and spawned processes find what stands beside them."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from threadpoolctl import threadpool_limits

from support.projects import ROOT

BENCHMARKS = ROOT / "benchmarks"
Script = Callable[..., str]


@pytest.fixture
def beside_benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules of benchmarks/ can be imported, as by a script beside them."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name, module in list(sys.modules.items()):  # `training` and the like stand for nothing elsewhere
        if Path(getattr(module, "__file__", None) or "").parent == BENCHMARKS:
            del sys.modules[name]


@pytest.fixture
def script(
    beside_benchmarks: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Script]:
    """Type `python benchmarks/<name>.py <arguments>`; returns what it prints."""
    threads = torch.get_num_threads()

    def run(name: str, *arguments: str) -> str:
        path = BENCHMARKS / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(path), *arguments])
        importlib.import_module(name).main()
        return capsys.readouterr().out

    yield run
    torch.set_num_threads(threads)
    threadpool_limits(threads)
