"""Keep labels from leaking: check who reads them before a run, note who reads them during it."""

import logging
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from pt4al.pipelines.leakage import check_readers, guarded

logger = logging.getLogger(__name__)


class LeakHooks:
    """Refuses a pipeline that could leak labels, notes each reading of them, and shouts if any leaked."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        check_readers(pipeline)
        self._reads = catalog["reads"]

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        if guarded(dataset_name):
            self._reads.save({"node": node.name, "dataset": dataset_name})

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        if dataset_name == "leak_check":
            for check in data[~data["ok"]].itertuples():
                logger.error('LABELS LEAKED. Not true: "%s" %s', check.check, check.found)
