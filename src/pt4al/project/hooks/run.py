"""What happens around Kedro's runs: check, guard, time, track."""

import logging
import time
from contextlib import chdir
from functools import partial
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import torch
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from threadpoolctl import threadpool_limits

from pt4al import pipeline_registry
from pt4al.errors import InputError, counted
from pt4al.files import records
from pt4al.images.building import signature
from pt4al.images.collection import Collection
from pt4al.pipelines.comparison.remembered import meanwhile, once
from pt4al.pipelines.pool.nodes import collect, read, tell_source
from pt4al.project.configuration.folder_names import folders
from pt4al.project.configuration.instructions import refuse
from pt4al.project.configuration.parameters import Engine, Parameters, Pool, check, identity
from pt4al.project.hooks.machine import processor_of, stage_of
from pt4al.project.runs import graph_options, names, preflight
from pt4al.project.runs.folder import RunFolder
from pt4al.project.tracking import store as mlflow_store
from pt4al.project.tracking.comparison import Study
from pt4al.project.tracking.model_registry import Registration
from pt4al.project.tracking.run import Tracking
from pt4al.project.tracking.tracker import Bookkeeping, end_on_signals
from pt4al.training.precision import choose_device, choose_precision
from pt4al.training.tasks import TASKS

logger = logging.getLogger(__name__)

MANY_CYCLES = 100
PRECISIONS = ("fp32", "bf16")
PAGES = {
    "intake",
    "report",
    "comparison_page",
    "cold_start_page",
    "predictions_page",
    "predictions",
}
INTAKE = {
    "problems": "pictures that could not be used: %d; %s says which, and why",
    "duplicates": "pictures that occur more than once: %d; %s shows them",
}


class ConfigurationHooks:
    """Checks the parameters, before Kedro or a plugin does anything with them, and resolves what is `auto`."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        places = context.config_loader["globals"]
        root = context.project_path / places["root"]
        with chdir(context.project_path):  # relative paths start there
            parameters = check(context.config_loader["parameters"])
            engine = resolve_engine(parameters.engine, root / "precision.json")
            torch.set_num_threads(engine.threads)
            threadpool_limits(engine.threads)  # of numpy and scikit-learn
            parameters = parameters.model_copy(update={"engine": engine})
            parameters, pipeline_registry.shape = graph_options.resolve(parameters, root)
            _check_many_cycles(parameters)
        context.config_loader["parameters"] = parameters.model_dump(mode="json")
        context.config_loader["globals"] = places | folders(parameters, places["versioned"])


class GuardHooks:
    """Refuses what would mix, overwrite or waste; notes each node's seconds."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        places = context.config_loader["globals"]
        self._root = context.project_path / places["root"]
        self._versioned = places["versioned"]

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        parameters = self._parameters = check(catalog.load("parameters"))
        refuse(parameters.engine.instructions)
        self._catalog = catalog
        tags = {tag for node in pipeline.nodes for tag in node.tags}
        self._asks = "cycles" in tags
        self._apart = is_comparison(pipeline) or is_prediction(pipeline)
        if self._apart:  # no run of its own; comparing.py has checked a comparison's cells
            if is_comparison(pipeline):
                names.check_comparison(self._root, parameters.comparison.name)
            compared = parameters.comparison.name
            run = f"{parameters.run.name}+predictions"
            name = compared if is_comparison(pipeline) else run
            self._lock = RunFolder(self._root, name).lock()
            return
        names.check_run(self._root, parameters.run.name)
        _check_source(parameters, catalog, tags)
        if self._versioned:  # else DVC keeps the files
            folder = RunFolder(self._root, parameters.run.name)
            self._lock = folder.lock()
            if parameters.run.fresh and folder.record.exists():
                aside = folder.set_aside()
                logger.info("fresh start: the old files of %s are now %s", folder.name, aside)
            folder.claim(identity(parameters))
        self._timings = catalog["timings"]
        engine = parameters.engine
        logger.info(
            "%s, %s, %s", engine.device, engine.precision, counted(engine.threads, "thread")
        )

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        self._start = time.perf_counter()

    @hook_impl(tryfirst=True)
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        if dataset_name == "pool" and self._asks:
            preflight.check_budgets(self._parameters, len(self._catalog.load("pool")))
        elif dataset_name.endswith(".metrics"):
            metric = TASKS[self._parameters.main.task].metric
            logger.info(
                "%s: %d labels, %s %s", node.namespace, data["labels"], metric, _told(data, metric)
            )
        elif dataset_name in ("problems", "duplicates") and len(data):
            logger.warning(
                INTAKE[dataset_name], data["id"].nunique(), self._catalog["intake"]._filepath
            )
        elif dataset_name == "source_summary":
            for sentence in data["found"]:
                logger.warning("%s", sentence)
        elif dataset_name == "pretext_checks":
            for sentence in data["sentence"][data["alarm"]]:
                logger.warning("pretext losses: %s", sentence)
        if dataset_name != node.outputs[-1] or self._apart:
            return
        seconds = (
            time.perf_counter() - self._start
        )  # saving included: a pool is decoded while it is saved
        stage = stage_of(node)
        self._timings.save({"stage": stage, "node": node.short_name, "seconds": round(seconds, 3)})
        logger.info("%-10s %-18s %6.1f s", stage, node.name.split(".")[-1], seconds)

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        for name in sorted(PAGES & pipeline.datasets()):
            logger.info(
                "%s: %s",
                "predictions" if name == "predictions" else "report",
                catalog[name]._filepath,
            )
        self._release()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        self._release()

    def _release(self) -> None:
        if self._versioned:
            self._lock.release()


class TrackingHooks:
    """Logs to MLflow: the run, and a child run for each cycle. It may wait; the run goes on."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        self._settings = mlflow_store.checked(context.config_loader["mlflow"])
        if (
            parent_process() is not None
        ):  # a comparison's cell: dozens of them would log hundreds of models
            self._settings = self._settings.model_copy(update={"log_models": False})
        self._project = context.project_path
        self._places = context.config_loader["globals"]

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        parameters = check(catalog.load("parameters"))
        root = self._project / self._places["root"]
        store = mlflow_store.find(self._project, self._settings)
        mlflow_store.tell()
        if is_prediction(pipeline):
            self._tracking = Registration(parameters, catalog, root, store)
        elif is_comparison(pipeline):
            self._tracking = Bookkeeping(Study(parameters, catalog, root, store))
        else:
            record = RunFolder(root, parameters.run.name).record
            run = Tracking(
                parameters, catalog, self._project, record, store, self._settings.log_models
            )
            self._tracking = Bookkeeping(run)
        self._tracking.start(
            self._places["versioned"]
        )  # else what exists may be about to be replaced
        self._undo = end_on_signals(partial(self._tracking.stop, "KILLED"))

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        if dataset_name.endswith(".metrics"):
            self._tracking.log_cycle(
                int(dataset_name.removeprefix("cycle_").removesuffix(".metrics"))
            )
        elif dataset_name == "report":
            self._tracking.log_report()

    @hook_impl
    def after_pipeline_run(self) -> None:
        self._undo()
        meanwhile(partial(_close, self._tracking))

    @hook_impl
    def on_pipeline_error(self) -> None:
        self._undo()
        self._tracking.stop("FAILED")


def _close(tracking: Bookkeeping | Registration) -> None:
    """End a run's row, and say where MLflow's pages show it."""
    tracking.stop("FINISHED")
    if tracking.chart is not None:
        logger.info("curves: make ui, then http://127.0.0.1:5000%s", tracking.chart)


def _told(metrics: dict[str, float], metric: str) -> str:
    if "images" not in metrics:  # of a test split
        return f"{100 * metrics[metric]:.1f} %"
    low = 100 * metrics["low"]
    high = 100 * metrics["high"]
    images = metrics["images"]
    measured = "unknown" if metrics[metric] is None else f"{100 * metrics[metric]:.0f} %"
    return f"{measured} ({low:.0f} to {high:.0f} %, by {images} control images)"


def is_prediction(pipeline: Pipeline) -> bool:
    """Return whether a pipeline is `predict`, which asks a run's model and leaves the run alone."""
    return any("predict" in node.tags for node in pipeline.nodes)


def is_comparison(pipeline: Pipeline) -> bool:
    """Return whether a pipeline is `comparison`, which is no run, but starts runs."""
    return any("comparison" in node.tags for node in pipeline.nodes)


def resolve_engine(engine: Engine, remembered: Path) -> Engine:
    """Replace `auto` by what this machine has.

    The precision's self-test measures seconds, so its answer is remembered, by machine: the
    same seed must give the same label sets again.
    """
    if engine.device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "`engine.device` is cuda, but there is no CUDA device here: set it to cpu or auto"
        )
    device = choose_device() if engine.device == "auto" else engine.device
    threads = torch.get_num_threads() if engine.threads == "auto" else engine.threads
    precision = engine.precision
    if precision == "auto":
        machine = f"{processor_of(device)}, torch {torch.__version__}, {threads} threads"
        known = records.recall(remembered)
        if known.get(machine) not in PRECISIONS:
            known[machine] = choose_precision(device)
            records.write(remembered, known)
        precision = known[machine]
    return Engine(
        device=device, precision=precision, threads=threads, instructions=engine.instructions
    )


def _check_many_cycles(parameters: Parameters) -> None:
    """A graph of very many cycles takes seconds: whether a pool can feed them is asked before it is made."""
    if parameters.cycles.number <= MANY_CYCLES:
        return
    try:
        images = len(collect(parameters.pool)["train"])
    except InputError:  # not every pipeline needs the source; those that do will say it
        return
    preflight.check_budgets(parameters, images)


def _check_source(parameters: Parameters, catalog: CatalogProtocol, tags: set[str]) -> None:
    """Find out now what would otherwise stop the run after hours of training, and what the source has new."""
    parts, signatures = once(f"source {parameters.pool!r}", partial(_list_source, parameters.pool))
    pool = None
    for split, name in (("train", "pool"), ("test", "test_pool")):
        if catalog.exists(name):
            built = catalog.load(name)
            once(
                f"pool {catalog[name].resolve_load_version()} {catalog[name]._filepath}",
                built.verify,
            )
            catalog[name].outdated = built.signature != signatures[split]
            pool = built if name == "pool" else pool
    current = pool is not None and not catalog["pool"].outdated
    images = len(pool) if current else len(parts["train"])
    if "cold_start" in tags:
        preflight.check_cold_start(parameters, images)
    if "cycles" in tags:
        preflight.check_labels(parameters, parts)
        started = catalog.exists(
            "start_label_set"
        )  # with what people had labelled: the file may have gone
        known = 0 if started else preflight.known_labels(parameters, parts["train"])
        preflight.check_budgets(parameters, images, known)
        _check_label_set(parameters, catalog, parts["train"])
    for name in ("features", "test_features", "task_features"):
        if catalog.exists(name):
            stored = catalog.load(name)
            once(
                f"{name} {catalog[name].resolve_load_version()} {catalog[name]._filepath}",
                stored.verify,
            )
    trained = ["pretext_network"] + [f"cycle_{parameters.cycles.number - 1}.network"] * (
        "cycles" in tags
    )
    if tags & {"pretext", "cycles"} and not all(catalog.exists(network) for network in trained):
        preflight.check_files(parameters)
        shown = pool or preflight.sample(parameters, parts["train"])
        classes = (
            (parameters.oracle.classes or parts["train"].classes) if "cycles" in tags else None
        )
        once(
            preflight.rehearsed(parameters), partial(preflight.rehearse, parameters, shown, classes)
        )


def _list_source(pool: Pool) -> tuple[dict[str, Collection], dict[str, str]]:
    """List the source, say what was found, and return it with its signatures, by split."""
    read.cache_clear()
    parts = collect(pool)
    tell_source(pool)
    return parts, {split: signature(part) for split, part in parts.items()}


def _check_label_set(parameters: Parameters, catalog: CatalogProtocol, pool: Collection) -> None:
    """What has been labelled must still be there."""
    newest = [
        f"cycle_{cycle}.label_set"
        for cycle in range(parameters.cycles.number)
        if catalog.exists(f"cycle_{cycle}.label_set")
    ][-1:]
    for name in newest:
        ids = catalog.load(name)["id"]
        gone = ids[~ids.isin(pool.index["id"])]
        if len(gone):
            raise InputError(
                f"{len(gone)} images that run {parameters.run.name!r} has labels for are no longer in "
                f"{parameters.pool.source.path}, the first is {gone.iloc[0]!r}: put them back, or use another run.name"
            )
