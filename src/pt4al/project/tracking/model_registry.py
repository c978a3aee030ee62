"""MLflow's registry: give the model of a cycle a name and an alias by which others find it."""

import logging
from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol

from pt4al.errors import InputError
from pt4al.pipelines.predict.models import Finished, find
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.folder import RunFolder
from pt4al.project.tracking.run import Rows, models
from pt4al.project.tracking.store import Store

logger = logging.getLogger(__name__)


class Registration:
    """Stands where a run's `Tracking` does: predictions are no run, and leave nothing in MLflow but a name."""

    chart = None

    def __init__(self, parameters: Parameters, catalog: CatalogProtocol, root: Path, store: Store):
        self._parameters = parameters
        self._catalog = catalog
        self._root = root
        self._store = store

    def start(self, catch_up: bool) -> None:
        """Do nothing yet."""

    def stop(self, status: str) -> None:
        """Register the model, if somebody wants that and its predictions went well."""
        alias = self._parameters.predict.register_as
        if status != "FINISHED" or alias is None:
            return
        import mlflow

        client, experiment = self._store.connect()
        found = find(
            self._catalog.load("runs"),
            self._catalog.load("parameters"),
            self._parameters.run.name,
            self._parameters.predict.cycle,
        )
        name = found.parameters.run.name
        logged = self._logged(client, experiment, found)
        if not logged:
            raise InputError(
                f"MLflow has no model of cycle {found.cycle} of run {name!r}: it was logged without models (log_models "
                "in mlflow.yml), or the store has gone"
            )
        with self._store.chosen():
            version = mlflow.register_model(f"models:/{logged[0].model_id}", name).version
        client.set_registered_model_alias(name, alias, version)
        logger.info(
            "registered: mlflow.pyfunc.load_model('models:/%s@%s') is cycle %d's",
            name,
            alias,
            found.cycle,
        )

    def _logged(self, client: Any, experiment: str, found: Finished) -> list[Any]:
        """The models of the cycle's own row; a row that was removed has none any more."""
        folder = RunFolder(self._root, found.parameters.run.name)
        run = Rows(folder.record).read().get("run_id")
        of_run = f"tags.`mlflow.parentRunId` = '{run}' and tags.`al.cycle` = '{found.cycle}'"
        return [
            model
            for row in client.search_runs([experiment], of_run)
            for model in models(client, experiment, row.info.run_id)
        ]
