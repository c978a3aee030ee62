"""Keep labels from leaking: check who reads them before a run, note who reads them during it."""

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from pt4al.pipelines.leakage import check_readers, guarded


class LeakageHooks:
    """Refuses a pipeline that could leak labels, and notes each reading of them."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """See Kedro."""
        check_readers(pipeline)
        self._reads = catalog["reads"]

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """See Kedro."""
        if guarded(dataset_name):
            self._reads.save({"node": node.name, "dataset": dataset_name})
