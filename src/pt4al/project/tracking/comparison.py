"""What MLflow sees of a comparison: its cells' runs, tagged and coloured by arm, and a link to their curves."""

import logging
from pathlib import Path

from kedro.io import CatalogProtocol

from pt4al.plots.comparison_curves import colours
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.folder import RunFolder
from pt4al.project.tracking.run import Rows
from pt4al.project.tracking.store import NOTE, Store, curves, with_link
from pt4al.project.tracking.tracker import Tracker

logger = logging.getLogger(__name__)


class ComparisonTracker(Tracker):
    """Tags the runs of a comparison; they are tracked by their own commands."""

    def __init__(self, parameters: Parameters, catalog: CatalogProtocol, root: Path, store: Store):
        self._comparison = parameters.comparison
        self._catalog = catalog
        self._root = root
        self._store = store

    def start(self) -> None:
        """Make the store, for which several cells would wait."""
        self._client, self._experiment = self._store.connect()

    @property
    def chart(self) -> str:
        """The page that compares the cells' learning curves."""
        return curves(self._store.address, self._experiment, "al.comparison", self._comparison.name)

    def stop(self, status: str) -> None:
        """Tag the runs of a finished comparison, and put its link into the experiment's description."""
        if status != "FINISHED":
            self._end_cells(status)
            return
        colour = colours(self._comparison.compared)
        for cell in self._catalog.load("comparison_plan").to_dict("records"):
            self._tag(cell, colour[cell["arm"]])
        self._describe()

    def _end_cells(self, status: str) -> None:
        """Close the rows of cells that end with this process."""
        if not self._catalog.exists("comparison_plan"):
            return
        for cell in self._catalog.load("comparison_plan").to_dict("records"):
            run = self._row(cell)
            if run is None:
                continue
            for row in self._client.search_runs([self._experiment], f"attributes.run_id = '{run}'"):
                if row.info.status == "RUNNING":
                    self._client.set_terminated(run, status)

    def _row(self, cell: dict) -> str | None:
        return Rows(RunFolder(self._root, cell["run"]).record).read().get("run_id")

    def _tag(self, cell: dict, colour: str) -> None:
        from mlflow.exceptions import MlflowException

        tags = {
            "al.role": "study",
            "al.comparison": self._comparison.name,
            # The repetition is another group: it is there for the noise floor alone.
            "al.arm": cell["arm"] + (f"-r{cell['repeat']}" if cell["repeat"] else ""),
            "al.seed": cell["seed"],
            "mlflow.runColor": colour,
        }
        try:
            for name, value in tags.items():
                self._client.set_tag(self._row(cell), name, value)
        except MlflowException:  # the store was removed since, or could not be reached then
            logger.warning(
                "MLflow does not know run %s: its curve is in the report alone", cell["run"]
            )

    def _describe(self) -> None:
        note = self._client.get_experiment(self._experiment).tags.get(NOTE, "")
        note = with_link(note, f"Comparison {self._comparison.name}", self.chart)
        self._client.set_experiment_tag(self._experiment, NOTE, note)
