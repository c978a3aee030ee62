"""Say what the numbers were measured on."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import torch


def where(precision: str, command: str) -> str:
    """Return one paragraph: date, machine, versions, command."""
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    waiting = ", ".join(f"{name}={os.environ[name]}" for name in names if name in os.environ) or "OpenMP's default"
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {processor()}, {os.cpu_count()} cores "
        f"({torch.backends.cpu.get_cpu_capability()}; load {os.getloadavg()[0]:.1f} when this benchmark began), "
        f"torch {torch.__version__}, threads: {torch.get_num_threads()} ({waiting}), "
        f"precision {precision} (self-tested), Python {platform.python_version()}: `{command}`"
    )


def processor() -> str:
    """Return the processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
