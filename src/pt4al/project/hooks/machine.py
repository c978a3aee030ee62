"""State on what machine, and with what packages, each stage of the published run was made."""

import json
import platform
from pathlib import Path

import numpy as np
import torch
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from numpy._core._multiarray_umath import __cpu_features__ as features

from pt4al.errors import counted
from pt4al.files.whole import replacing
from pt4al.project.configuration.instructions import ANY, processor
from pt4al.project.configuration.parameters import Engine, check
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.reproduction import MADE_ON

WIDEST = {"AVX512F": "AVX-512", "AVX2": "AVX2"}  # the first that there is; by numpy's names


class MachineHooks:
    """Notes the machine, of runs whose versions DVC keeps: others are read on the machine that made them."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        places = context.config_loader["globals"]
        self._versioned = places["versioned"]
        folder = RunFolder(context.project_path / places["root"], places["run"])
        self._path = folder.reports / MADE_ON

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        if not self._versioned:
            engine = check(catalog.load("parameters")).engine
            note(self._path, describe(engine), list(dict.fromkeys(map(stage_of, pipeline.nodes))))


def stage_of(node: Node) -> str:
    """Return a node's stage: `pool`, or `cycle_0`."""
    return node.namespace or next(iter(node.tags - {"always", "grows", "page"}))


def describe(engine: Engine) -> str:
    """Return one line on the machine: whatever may make another one round otherwise."""
    chosen = "" if engine.instructions == ANY else f", kept to {engine.instructions}"
    packages = (
        f"torch {torch.__version__}, numpy {np.__version__}, Python {platform.python_version()}"
    )
    return (
        f"{processor_of(engine.device)}{_widest(engine.device)}{chosen}, {platform.system()}, {engine.precision}, "
        f"{counted(engine.threads, 'thread')}, {packages}"
    )


def _widest(device: str) -> str:
    """Return the widest instructions that a processor has, whatever it is kept to."""
    for name, word in WIDEST.items():
        if device == "cpu" and features.get(name):
            return f" with {word}"
    return ""


def processor_of(device: str) -> str:
    """Return the name of the processor, or of the CUDA device."""
    return torch.cuda.get_device_name() if device == "cuda" else processor()


def note(path: Path, machine: str, stages: list[str]) -> None:
    """Write that these stages were made on this machine; what was made on others stays theirs."""
    machines = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    machines.setdefault(machine, [])
    kept = {
        name: [stage for stage in made if stage not in stages] for name, made in machines.items()
    }
    kept[machine] += stages
    written = {name: made for name, made in kept.items() if made}
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps(written, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
