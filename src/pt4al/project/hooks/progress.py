"""Say how a command gets on: what its outputs mean, seconds of each node, pages at the end."""

import time
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from pt4al.project.hooks.steps import steps
from pt4al.project.runs import messages
from pt4al.project.runs.command import Command, Kind
from pt4al.project.runs.context import Context
from pt4al.project.runs.heartbeat import Heartbeat
from pt4al.project.runs.machine import stage_of


class ProgressHooks:
    """Notes the seconds of a run's nodes, and says what their outputs mean."""

    @hook_impl
    def after_context_created(self, context: Context) -> None:
        """See Kedro."""
        self._context = context
        self._heartbeat = Heartbeat()

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """See Kedro."""
        command = Command.of(self._context, run_params, pipeline)
        self._catalog = catalog
        self._timings = None
        if command.kind is Kind.RUN:
            self._timings = catalog["timings"]
            messages.tell_engine(command.parameters.engine)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """See Kedro."""
        self._start = time.perf_counter()
        self._heartbeat.start(node.name)
        steps.info("%s", node.name)

    @hook_impl(tryfirst=True)
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        """See Kedro."""
        messages.tell(dataset_name, data, self._catalog)
        if self._timings is None or dataset_name != node.outputs[-1]:
            return
        # Saving included: a pool is decoded while it is saved.
        seconds = round(time.perf_counter() - self._start, 3)
        entry = {"stage": stage_of(node), "node": node.short_name, "seconds": seconds}
        self._timings.save(entry)
        messages.tell_seconds(node, seconds)

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """See Kedro."""
        self._heartbeat.stop()
        messages.tell_pages(pipeline, catalog)

    @hook_impl
    def on_pipeline_error(self) -> None:
        """See Kedro."""
        self._heartbeat.stop()
