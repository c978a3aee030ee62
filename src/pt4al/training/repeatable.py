"""The same numbers from the same seed on a GPU, whose fastest algorithms vary."""

import contextlib
import os
from collections.abc import Callable, Iterator

import torch

from pt4al.training.precision import Hardware

WORKSPACE = ":4096:8"  # of cuBLAS: the one with which it repeats itself; what an H100 has anyhow


@contextlib.contextmanager
def repeatable(hardware: Hardware, trial: Callable[[], None] | None = None) -> Iterator[None]:
    """Let a GPU take the same algorithms each time, and multiply float32 in full precision.

    Parameters
    ----------
    trial
        Computes once what is to be computed. Without it, or if that needs an operation which can't
        repeat itself, such operations are allowed, and torch warns of them.
    """
    if hardware.device == "cpu":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", WORKSPACE)
    # `enabled` is False unless it is said. TF32 rounds to 10 bits: those who ask for fp32 want 23.
    exact = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    with exact, deterministic(trial):
        yield


@contextlib.contextmanager
def deterministic(trial: Callable[[], None] | None) -> Iterator[None]:
    """Forbid operations that can't repeat themselves, if a trial does without; then restore."""
    mode = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    fills = torch.utils.deterministic.fill_uninitialized_memory
    torch.utils.deterministic.fill_uninitialized_memory = (
        False  # it costs a pass, and nobody reads that memory
    )
    try:
        # To forbid, not to warn: attention repeats itself only where it must.
        torch.use_deterministic_algorithms(True, warn_only=trial is None or not _succeeds(trial))
        yield
    finally:
        torch.use_deterministic_algorithms(mode, warn_only=warns)
        torch.utils.deterministic.fill_uninitialized_memory = fills


def _succeeds(trial: Callable[[], None]) -> bool:
    torch.use_deterministic_algorithms(True)
    try:
        trial()
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        return False
    return True
