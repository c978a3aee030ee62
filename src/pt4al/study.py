"""What MLflow sees of a comparison: its cells' runs, tagged and coloured by arm, and a link to their curves."""

import logging
from pathlib import Path

from kedro.io import CatalogProtocol

from pt4al import guard, records
from pt4al.parameters import Parameters
from pt4al.reporting.comparison_curves import colours
from pt4al.tracking import CHART, NOTE, open_experiment

logger = logging.getLogger(__name__)


class Study:
    """Stands where `Tracking` stands for a run; the cells track themselves."""

    def __init__(
        self,
        parameters: Parameters,
        catalog: CatalogProtocol,
        project: Path,
        root: Path,
        *,
        tracking_uri: str,
        experiment: str,
        log_models: bool,
    ):
        self._comparison, self._catalog, self._root = parameters.comparison, catalog, root
        self._store = project, tracking_uri, experiment

    def start(self) -> None:
        """Make the store, before several cells try to at once."""
        self._client, self._experiment = open_experiment(*self._store)

    def catch_up(self) -> None:
        """Nothing: the cells do."""

    @property
    def chart(self) -> str:
        """Where MLflow's pages compare the cells' learning curves, after the server's address."""
        return CHART.format(experiment=self._experiment, tag="al.comparison", value=self._comparison.name)

    def stop(self, status: str) -> None:
        """Tag the runs of a finished comparison, and put its link into the experiment's description."""
        if status == "FINISHED":
            colour = colours(self._comparison.compared)
            for cell in self._catalog.load("comparison_plan").to_dict("records"):
                self._tag(cell, colour[cell["arm"]])
            self._describe()

    def _tag(self, cell: dict, colour: str) -> None:
        from mlflow.exceptions import MlflowException

        known = records.recall(guard.record_folder(self._root, cell["run"]) / "mlflow_run.json")
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
                self._client.set_tag(known["run_id"], name, value)
        except (KeyError, MlflowException):  # the store was removed since, or what the run remembers of it
            logger.warning("MLflow does not know run %s any more: its curve is in the report alone", cell["run"])

    def _describe(self) -> None:
        start = f"[Comparison {self._comparison.name}]("
        note = self._client.get_experiment(self._experiment).tags.get(NOTE, "")
        kept = [line for line in note.split("\n\n") if line and not line.startswith(start)]
        self._client.set_experiment_tag(self._experiment, NOTE, "\n\n".join([*kept, f"{start}{self.chart})"]))
