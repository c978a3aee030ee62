"""Keep a command's files in a bucket, where `storage.address` names one."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from pt4al.project.runs.command import Command
from pt4al.project.runs.context import Context
from pt4al.project.runs.stored import KeptCommand


class StorageHooks:
    """Brings a command's files before all other hooks look at them, and writes them after all."""

    @hook_impl
    def after_context_created(self, context: Context) -> None:
        """See Kedro."""
        self._context = context
        self._kept: KeptCommand | None = None

    @hook_impl(wrapper=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> Generator[None, list, list]:
        """See Kedro."""
        self._catalog = catalog
        if self._context.storage is None:
            return (yield)
        places = self._context.config_loader["globals"]
        command = Command.of(self._context, run_params, pipeline)
        self._kept = KeptCommand(self._context.storage, command, places)
        self._kept.begin()
        try:
            results = yield
            self._kept.settled()
        except BaseException as error:
            self._kept.give_up(error)
            raise
        return results

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """See Kedro."""
        path = getattr(self._catalog[dataset_name], "_filepath", None)
        if self._kept is not None and path is not None:
            self._kept.saved(Path(path))

    @hook_impl(wrapper=True)
    def after_pipeline_run(self) -> Generator[None, list, list]:
        """See Kedro."""
        results = yield
        if self._kept is not None:
            self._kept.end()
        return results

    @hook_impl(wrapper=True)
    def on_pipeline_error(self, error: Exception) -> Generator[None, list, list]:
        """See Kedro."""
        results = yield
        if self._kept is not None:
            self._kept.give_up(error)
        return results
