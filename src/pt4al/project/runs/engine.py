"""Choose on what this machine computes: device, precision, threads."""

from pathlib import Path

import torch

from pt4al.errors import InputError
from pt4al.files import records
from pt4al.project.configuration.parameters import Engine
from pt4al.project.runs.machine import processor_of
from pt4al.training.precision import choose_device, choose_precision

PRECISIONS = ("fp32", "bf16")


def resolve_engine(engine: Engine, remembered: Path) -> Engine:
    """Replace `auto` by what this machine has.

    The self-test of the precision measures seconds, so its answer is remembered, by machine: the
    same seed must give the same label sets again.
    """
    if engine.device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "`engine.device` is cuda, but there is no CUDA device here: set it to cpu or auto"
        )
    device = choose_device() if engine.device == "auto" else engine.device
    threads = torch.get_num_threads() if engine.threads == "auto" else engine.threads
    precision = engine.precision
    if precision == "auto":
        machine = f"{processor_of(device)}, torch {torch.__version__}, {threads} threads"
        precision = _remembered_precision(device, machine, remembered)
    return engine.model_copy(update={"device": device, "precision": precision, "threads": threads})


def _remembered_precision(device: str, machine: str, remembered: Path) -> str:
    machines = records.recall(remembered)
    if machines.get(machine) not in PRECISIONS:
        machines[machine] = choose_precision(device)
        records.write(remembered, machines)
    return machines[machine]
