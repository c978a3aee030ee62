"""What happens before a comparison: check every cell, so that nothing stops it after hours."""

import signal
import threading
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from pt4al import guard
from pt4al.errors import InputError
from pt4al.hooks import check_pool, is_comparison
from pt4al.images.collection import Collection
from pt4al.pipelines.comparison.plan import cells
from pt4al.pipelines.pool.nodes import collect, read


class ComparisonHooks:
    """Checks a comparison's cells, and tells its nodes where the project is and what was typed."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        self._path, self._env, self._places = context.project_path, context.env, context.config_loader["globals"]

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        self._interrupt = None
        if not is_comparison(pipeline):
            return
        if not self._places["versioned"]:
            raise InputError(f"a comparison's runs are kept by their names, which environment {self._env} doesn't do")
        if catalog.load("parameters")["oracle"]["kind"] == "people":
            raise InputError("`oracle.kind: people` can't be compared: people would have to label for every cell")
        typed = run_params["runtime_params"]
        _check_cells(catalog.load("parameters"), typed, self._path / self._places["root"])
        catalog["params:project"] = {"path": self._path, "env": self._env, "typed": typed}
        if threading.current_thread() is threading.main_thread():
            # Ctrl-C ends this process at once, and its cells with it: Kedro would wait for all of them.
            self._interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)

    @hook_impl
    def after_pipeline_run(self) -> None:
        self._restore()

    @hook_impl
    def on_pipeline_error(self) -> None:
        self._restore()

    def _restore(self) -> None:
        if self._interrupt is not None:
            signal.signal(signal.SIGINT, self._interrupt)


def _check_cells(parameters: dict, typed: dict, root: Path) -> None:
    read.cache_clear()
    known: dict[str, dict[str, Collection]] = {}
    for cell in cells(parameters, typed):
        try:
            if cell.pool not in known:
                known[cell.pool] = collect(cell.parameters.pool)
            parts = known[cell.pool]
            check_pool(cell.parameters, parts, len(parts["train"]))
        except InputError as error:
            raise InputError(f"`comparison.arms.{cell.arm}`: {error}") from None
        if guard.record_folder(root, cell.run).exists():
            guard.claim(root, cell.parameters)
