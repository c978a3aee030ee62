"""Protect runs: check a command before it starts, and let one command at a time write a run's files."""

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from pt4al.project.runs import preflight
from pt4al.project.runs.command import Command
from pt4al.project.runs.context import Context
from pt4al.project.runs.protection import note_network, protect


class ProtectionHooks:
    """Checks a command, takes the lock of what it writes, and frees it."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: Context) -> None:
        """See Kedro."""
        self._context = context

    @hook_impl(tryfirst=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """See Kedro."""
        self._catalog = catalog
        self._command = Command.of(self._context, run_params, pipeline)
        preflight.check(self._command, catalog)
        self._lock = protect(self._command)

    @hook_impl(tryfirst=True)
    def after_dataset_saved(self, dataset_name: str) -> None:
        """See Kedro."""
        if dataset_name == "pool":
            preflight.check_pool(self._command, self._catalog)
        cycle, _, name = dataset_name.rpartition(".")
        if name == "network":
            note_network(self._command, int(cycle.removeprefix("cycle_")))

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """See Kedro."""
        self._release()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """See Kedro."""
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
