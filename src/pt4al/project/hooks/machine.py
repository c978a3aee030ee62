"""State on what machine each stage of the published run was made."""

from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from pt4al.project.runs.context import Context
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.machine import describe, note, stage_of
from pt4al.project.runs.reproduction import MADE_ON


class MachineHooks:
    """Notes the machine where DVC keeps the versions: others read the files on the machine that made them."""

    @hook_impl
    def after_context_created(self, context: Context) -> None:
        """See Kedro."""
        places = context.config_loader["globals"]
        self._versioned = places["versioned"]
        folder = RunFolder(context.project_path / places["root"], places["run"])
        self._path = folder.reports / MADE_ON
        self._context = context

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline) -> None:
        """See Kedro."""
        if self._versioned:
            return
        stages = dict.fromkeys(stage_of(node) for node in pipeline.nodes)
        note(self._path, describe(self._context.settings.engine), list(stages))
