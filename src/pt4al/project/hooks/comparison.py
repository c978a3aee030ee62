"""What happens before a comparison: check every cell, so that nothing stops it after hours."""

from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.pipelines.comparison.nodes import read_others
from pt4al.pipelines.comparison.plan import Cell, cells
from pt4al.pipelines.pool.nodes import collect, read
from pt4al.project.configuration.parameters import Parameters, check, fingerprint, identity
from pt4al.project.hooks.run import is_comparison
from pt4al.project.runs import preflight
from pt4al.project.runs.folder import RunFolder, Runs
from pt4al.training.tasks import TASKS


class ComparisonHooks:
    """Checks a comparison's cells, and tells its nodes where the project is and what was typed."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        self._path = context.project_path
        self._env = context.env
        self._places = context.config_loader["globals"]

    @hook_impl(tryfirst=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        if not is_comparison(pipeline):
            return
        if not self._places["versioned"]:
            raise InputError(
                f"a comparison's runs are kept by their names, which environment {self._env} doesn't do"
            )
        if catalog.load("parameters")["oracle"]["kind"] == "people":
            raise InputError(
                "`oracle.kind: people` can't be compared: people would have to label for every cell"
            )
        typed = run_params["runtime_params"]
        root = self._path / self._places["root"]
        _check_others(check(catalog.load("parameters")), catalog.load("runs"))
        checked = check_cells(catalog.load("parameters"), typed, root)
        catalog["params:project"] = {
            "path": self._path,
            "env": self._env,
            "typed": typed,
            "checked": checked,
        }


def check_cells(parameters: dict, typed: dict, root: Path) -> set[str]:
    """Return what the cells' own runs need not rehearse again.

    Raises
    ------
    InputError
        If a cell could not run, or not be compared, or is another run's: names the arm.
    """
    read.cache_clear()
    known: dict[str, dict[str, Collection]] = {}
    rehearsed: set[str] = set()
    for cell in cells(parameters, typed):
        try:
            if cell.pool not in known:
                known[cell.pool] = collect(cell.parameters.pool)
            _check_same(cell, check(parameters))
            _check_cell(cell.parameters, known[cell.pool], rehearsed)
        except InputError as error:
            raise InputError(f"`comparison.arms.{cell.arm}`: {error}") from None
        folder = RunFolder(root, cell.run)
        if folder.record.exists():
            folder.claim(identity(cell.parameters))
    return rehearsed


def _check_same(cell: Cell, common: Parameters) -> None:
    """What differs between cells that can't be compared would be told once all of them have run."""
    if fingerprint(cell.parameters.pool, cell.parameters.main.task) != fingerprint(
        common.pool, common.main.task
    ):
        raise InputError(
            "`pool` and `main.task` must be those of all other arms, or nothing can be compared"
        )
    if cell.parameters.cycles.number != common.cycles.number:
        raise InputError(
            f"`cycles.number` is {cell.parameters.cycles.number}, that of all other arms {common.cycles.number}: "
            "curves of different lengths can't be compared"
        )
    if cell.parameters.oracle.kind == "people":
        raise InputError(
            "`oracle.kind: people` can't be compared: people would have to label for every cell"
        )


def _check_others(parameters: Parameters, runs: Runs) -> None:
    for name in parameters.comparison.others:
        read_others(name, TASKS[parameters.main.task].metric, runs)


def _check_cell(parameters: Parameters, parts: dict[str, Collection], rehearsed: set[str]) -> None:
    """Check a cell as its own run will. `rehearsed` holds what has been tried, for this one or another."""
    pool = parts["train"]
    preflight.check_files(parameters)
    preflight.check_labels(parameters, parts)
    preflight.check_budgets(parameters, len(pool))
    if preflight.rehearsed(parameters) not in rehearsed:
        preflight.rehearse(parameters, preflight.sample(parameters, pool), pool.classes)
        rehearsed.add(preflight.rehearsed(parameters))
