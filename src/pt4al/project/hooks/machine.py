"""State on what machine each stage of the published run was made."""

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.machine import describe, note, stage_of
from pt4al.project.runs.reproduction import MADE_ON


class MachineHooks:
    """Notes the machine where DVC keeps the versions: others read the files on the machine that made them."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """See Kedro."""
        places = context.config_loader["globals"]
        self._versioned = places["versioned"]
        folder = RunFolder(context.project_path / places["root"], places["run"])
        self._path = folder.reports / MADE_ON

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """See Kedro."""
        if self._versioned:
            return
        stages = dict.fromkeys(stage_of(node) for node in pipeline.nodes)
        note(self._path, describe(parse(catalog.load("parameters")).engine), list(stages))
