"""Kedro's settings of this project."""

import os

# No telemetry, of any tool: set before the tools are imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

# OpenMP's threads that wait for work spin by default, for milliseconds, which slows whatever else
# runs. Ours sleep after some microseconds, which costs a quiet machine nothing (docs/studies/benchmarks.md,
# `waiting`). Read when torch is imported, which is later; one's own setting wins.
if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "5000"
# A server that does not answer costs seconds, not the minutes that MLflow would wait: what is
# missing is logged later.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from pt4al.project.runs.context import Context
from pt4al.project.runs.resume import Session


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking through all that is being imported, again and again.

    There are some 500,000 objects of torch's, and none of them is garbage.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@cache
@_uncollected()
def _hooks() -> tuple[Any, ...]:
    from pt4al.project.hooks.leakage import LeakageHooks
    from pt4al.project.hooks.machine import MachineHooks
    from pt4al.project.hooks.progress import ProgressHooks
    from pt4al.project.hooks.protection import ProtectionHooks
    from pt4al.project.hooks.storage import StorageHooks
    from pt4al.project.hooks.tracking import TrackingHooks

    # The last is asked first: a pipeline that leaks is refused before a run has a lock and a row.
    return (
        ProtectionHooks(),
        MachineHooks(),
        ProgressHooks(),
        TrackingHooks(),
        StorageHooks(),
        LeakageHooks(),
    )


class _Hooks:
    """Our hooks, imported when a session asks for them: a command that only reads a run's files needs no torch."""

    def __iter__(self) -> Iterator[Any]:
        return iter(_hooks())


HOOKS = _Hooks()
SESSION_CLASS = Session
CONTEXT_CLASS = Context
# Our own hooks track: kedro-mlflow, where somebody has it installed, would open a second run.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow", "kedro-telemetry")
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
    "config_patterns": {"mlflow": ["mlflow*"]},
}
