"""Kedro's context, whose settings are those of a run, and whose graph is theirs."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.io.core import generate_timestamp

from pt4al.errors import InputError
from pt4al.files.versions import later

if TYPE_CHECKING:
    from pt4al.project.configuration.parameters import Parameters

# What files of settings have to say beside parameters.yml.
NEEDED = {
    "globals": {"root", "versioned"},
    "mlflow": {"tracking_uri", "experiment", "log_models"},
}
SHARED = ("pool", "features", "pretext")  # folders of what runs have in common


class Context(KedroContext):
    """Resolves the settings when it is made: sessions, notebooks and Kedro-Viz see the same ones.

    Attributes
    ----------
    resolved
        The settings, and what the graph depends on; see `resolve`.
    storage
        The bucket that keeps the files; None where there is none.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        # All import torch, which commands that only read files do without.
        from pt4al.pipelines.graph import build
        from pt4al.project.configuration.loading import checked
        from pt4al.project.configuration.next_commands import next_commands
        from pt4al.project.runs.resolve import resolve
        from pt4al.project.runs.stored import opened

        super().__init__(*args, **kwargs)
        loader = self.config_loader
        for pattern, needed in NEEDED.items():
            if not isinstance(loader[pattern], dict) or not needed <= loader[pattern].keys():
                raise InputError(f"conf/base/{pattern}.yml has to say {', '.join(sorted(needed))}")
        checked(loader["globals"])
        self.storage = opened(loader, self.project_path)
        self.resolved = resolve(loader["parameters"], loader["globals"], self.project_path)
        loader["parameters"] = self.resolved.parameters
        run = self.resolved.places["run"]
        typed = self._runtime_params or {}
        commands = next_commands(self.env, typed, run, self.resolved.parameters)
        loader["globals"] = self.resolved.places | commands
        pipelines.update(build(self.resolved.graph))

    @cached_property
    def settings(self) -> "Parameters":
        """The resolved settings as an object, made once for all who check, track and describe."""
        from pt4al.project.configuration.parsing import parse

        return parse(self.resolved.parameters)

    def _get_catalog(self, *args: Any, save_version: str | None = None, **kwargs: Any) -> Any:
        """Return the catalog: new versions are newer than all of the run, whatever the clock says."""
        places = self.resolved.places
        names = [places[shared] for shared in SHARED]
        names += [places["run"], f"{places['run']}.predictions"]
        layers = list((self.project_path / places["root"]).glob("0*"))
        folders = [layer / name for layer in layers for name in names]
        version = later(save_version or generate_timestamp(), folders)
        return super()._get_catalog(*args, save_version=version, **kwargs)
