"""Track a command in MLflow."""

from functools import partial
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from pt4al.pipelines.remembered import meanwhile
from pt4al.project.runs.command import Command
from pt4al.project.runs.context import Context
from pt4al.project.tracking.start import open_tracker
from pt4al.project.tracking.tracker import end_on_signals


class TrackingHooks:
    """Logs a command, and each cycle of a run. What can't be logged waits; the run goes on."""

    @hook_impl
    def after_context_created(self, context: Context) -> None:
        """See Kedro."""
        self._settings = context.config_loader["mlflow"]
        self._context = context

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """See Kedro."""
        command = Command.of(self._context, run_params, pipeline)
        self._tracker = open_tracker(command, catalog, self._settings)
        self._undo = end_on_signals(partial(self._tracker.stop, "KILLED"))

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """See Kedro."""
        cycle, _, name = dataset_name.rpartition(".")
        if name == "metrics":
            self._tracker.log_cycle(int(cycle.removeprefix("cycle_")))
        elif name == "report":
            self._tracker.log_report()

    @hook_impl
    def after_pipeline_run(self) -> None:
        """See Kedro."""
        self._undo()
        meanwhile(self._tracker.close)

    @hook_impl
    def on_pipeline_error(self) -> None:
        """See Kedro."""
        self._undo()
        self._tracker.stop("FAILED")
