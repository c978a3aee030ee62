"""Read a run's parameters from conf/, without Kedro."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
import yaml

from pt4al.project.configuration.parameters import Engine, Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.training.precision import choose_device, choose_precision

ROOT = Path(__file__).parents[1]


def read(env: str = "fashion_mnist_small", params: str = "", conf: Path = ROOT / "conf") -> Parameters:
    """Return base, overlaid by an environment, overlaid by `--params` as typed: `run.seed=3,cycles.budget=50`."""
    merged: dict[str, Any] = {}
    for folder in ("base", env):
        for path in sorted((conf / folder).glob("parameters*.yml")):
            merged = _overlaid(merged, yaml.safe_load(path.read_text()) or {})
    merged = _overlaid(merged, typed(params))
    parameters = parse(merged)
    return parameters.model_copy(update={"engine": _resolved(parameters.engine)})


def typed(params: str) -> dict[str, Any]:
    """Return what `--params` says, nested."""
    found: dict[str, Any] = {}
    for assignment in filter(None, params.split(",")):
        name, value = assignment.split("=", 1)
        value = yaml.safe_load(value)
        for key in reversed(name.split(".")):
            value = {key: value}
        found = _overlaid(found, value)
    return found


def _overlaid(below: dict, above: dict) -> dict:
    merged = deepcopy(below)
    for key, value in above.items():
        nested = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _overlaid(merged[key], value) if nested else value
    return merged


def _resolved(engine: Engine) -> Engine:
    device = choose_device() if engine.device == "auto" else engine.device
    threads = torch.get_num_threads() if engine.threads == "auto" else engine.threads
    precision = choose_precision(device) if engine.precision == "auto" else engine.precision
    return Engine(device=device, precision=precision, threads=threads)
