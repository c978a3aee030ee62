"""Keep a processor to instructions that others have, too, so that they round alike (`engine.instructions`)."""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from pt4al.errors import InputError

ANY = "any"
AVX2 = "avx2"

# Read when torch and numpy are imported. For MKL, AVX2 is a word that only Intel's processors know;
# on others it means the same as none.
SWITCHES = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Haswell",
}
NUMPY = "NPY_DISABLE_CPU_FEATURES"


def start_again(instructions: object) -> None:
    """Start the command that was typed again, with the switches, if it wants them and has not got them."""
    if instructions != AVX2 or is_switched(os.environ):
        return
    _check_processor()
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, command, os.environ | switches())


def refuse(instructions: str) -> None:
    """Refuse to compute with other instructions than those that are asked for.

    Raises
    ------
    InputError
        If the processor lacks them, or the switches were not set before torch was imported.
    """
    if instructions != AVX2:
        return
    _check_processor()
    import torch

    if not is_switched(os.environ) or torch.backends.cpu.get_cpu_capability() != "AVX2":
        settings = " ".join(f"{name}={value!r}" for name, value in switches().items())
        raise InputError(
            f"`engine.instructions: {AVX2}` must be known before torch and numpy are imported: type"
            f" the command in a shell (kedro run), or start this program with {settings}"
        )


def is_switched(environment: Mapping[str, str]) -> bool:
    """Return whether a process with this environment has the switches, numpy's included."""
    return not _beyond_avx2() and all(
        environment.get(name) == value for name, value in SWITCHES.items()
    )


def switches() -> dict[str, str]:
    """Return the environment variables that keep torch, numpy and their libraries to AVX2 on this processor."""
    # numpy warns of features that a processor lacks anyway.
    disabled = [*os.environ.get(NUMPY, "").split(), *_beyond_avx2()]
    return SWITCHES | ({NUMPY: " ".join(disabled)} if disabled else {})


def processor() -> str:
    """Return the processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line for line in lines if "model name" in line]
    return names[0].split(":")[1].strip() if names else platform.processor() or platform.machine()


def _check_processor() -> None:
    from numpy._core._multiarray_umath import __cpu_features__ as features

    if not (features.get("AVX2") and features.get("FMA3")):
        raise InputError(
            f"`engine.instructions: {AVX2}` needs a processor with AVX2, and this one"
            f" ({processor()}) has none: --params=engine.instructions={ANY} runs here, with other"
            " roundings"
        )


def _beyond_avx2() -> list[str]:
    """Return the groups of instructions beyond AVX2 that numpy chooses from at run time here."""
    from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched
    from numpy._core._multiarray_umath import __cpu_features__ as features

    # X86_V4 is the name of AVX-512's first group in numpy since 2.4.
    return [
        name
        for name in dispatched
        if features[name] and (name == "X86_V4" or name.startswith("AVX512"))
    ]
