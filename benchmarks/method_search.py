"""Search for a method that wins: many strategies under one linear probe of the features, in minutes.

    python benchmarks/method_search.py [--env caltech101] [--params pool.size=32,...] [--repeats 4] [--quick]

All queries are the tool's own strategies; the main model is a linear probe of the features (block `features`), the
same for every arm, so that a run takes seconds. For each of `comparison.seeds` features and pretext losses are made, or
found where runs of this project have left them; `--repeats` runs with each are averaged, for chance in queries. With
`ranking.share` below 1 each seed sees its own share of the pool: some queries have no other chance. Each arm is tested
against the opponents of `comparison.rule`, with Holm's correction over all tests. Finished runs are kept, so this can
be stopped and started again. Ends with a table. `--quick` tries two arms once, in environment `tiny`.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from kedro.io import CatalogProtocol
from omegaconf import OmegaConf
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import configuration
from pt4al.errors import did_you_mean
from pt4al.features import probe
from pt4al.files.whole import replacing
from pt4al.project.configuration.identity import fingerprint
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.randomness import stream
from pt4al.selection import candidates as selection
from pt4al.selection.evidence import Evidence
from pt4al.selection.ranked import RankedRows
from pt4al.selection.ranking import draw, rank, split
from pt4al.selection.strategies import STRATEGIES, balanced
from pt4al.selection.uncertainty import MEASURES, RANDOM
from pt4al.statistics.comparison import by_arm, summary
from pt4al.statistics.paired import paired
from pt4al.statistics.ranks import ranks
from pt4al.training.tasks import classification

LOW_BUDGET = 2  # cycles
POOL = {"scope": "pool", "measure": "margin"}
# What can be told apart by queries alone; the rest of `comparison.arms` differs in what is trained.
FROM_CONFIGURATION = [
    "random margin least_confidence entropy badge cluster_margin coreset typiclust probcover",
    "typical_margin typical_badge typical_cluster_margin balanced_margin strata",
    "herding herded_random herded_margin uncertainty_herding typical_uncertainty_herding",
    "central_uncertainty_herding loss_herding dropquery weighted_kmeans",
    "pt4al shuffled_losses random_in_batch",
]
# Ideas that the configuration has no arm for.
IDEAS = {
    "pt4al_easiest_first": {
        "ranking": {"order": "easiest_first"},
        "query": {"start": "even_intervals", "scope": "batch", "measure": "least_confidence"},
    },
    "pt4al_interleaved": {
        "ranking": {"batches": "interleaved"},
        "query": {"start": "even_intervals", "scope": "batch", "measure": "margin"},
    },
    "pt4al_dropped_extremes": {
        "ranking": {"drop": 0.1},
        "query": {"start": "even_intervals", "scope": "batch", "measure": "margin"},
    },
    "typical_first": {"query": {**POOL, "start": "typiclust", "strategy": "typical_first"}},
    "typical_balanced_cluster_margin": {
        "query": {**POOL, "start": "typiclust", "strategy": "cluster_margin", "balance": True}
    },
    "central_margin": {"query": {**POOL, "start": "centres"}},
    "central_cluster_margin": {"query": {**POOL, "start": "centres", "strategy": "cluster_margin"}},
    "centres": {"query": {**POOL, "start": "centres", "strategy": "centres"}},
}


@dataclass(frozen=True)
class Data:
    """A pool as a network sees it: `features` (N, width), `losses` (N,), `targets` (N,); a test split's."""

    features: np.ndarray
    losses: np.ndarray
    targets: np.ndarray
    test_features: np.ndarray
    test_targets: np.ndarray
    classes: int


def arms(settings: Parameters) -> dict[str, Parameters]:
    """Return the parameters of each arm of the search."""
    known = {name: settings.comparison.arms[name] for names in FROM_CONFIGURATION for name in names.split()}
    plain = settings.model_dump(mode="json")
    return {name: parse(OmegaConf.to_container(OmegaConf.merge(plain, own))) for name, own in (known | IDEAS).items()}


def prepare(env: str, typed: dict, seed: int, folder: Path) -> Path:
    """Make pool, pretext network and losses of a seed, or find them made; return the file of what they are."""
    from kedro.framework.startup import bootstrap_project

    from pt4al.project.runs.resume import Session

    kept = folder / f"features_{seed}.npz"
    if kept.exists():
        return kept
    root = Path.cwd()
    bootstrap_project(root)
    name = f"search-{folder.name}-s{seed}"
    own = {"run": {"name": name, "seed": seed}, "main": {"start_from": "features", "frozen": "all"}}
    settings = OmegaConf.to_container(OmegaConf.merge(typed, own))
    create = partial(Session.create, project_path=root, env=env, runtime_params=settings, save_on_close=False)
    with create() as session:
        session.run(pipeline_names=["pool", "features", "pretext"])
    with create() as session:
        arrays = _arrays(session.load_context().catalog)
    with replacing(kept) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
    return kept


@cache
def load(kept: Path) -> Data:
    """Return what `prepare` has left."""
    with np.load(kept) as arrays:
        found = dict(arrays)
    return Data(**found | {"classes": int(found["classes"])})


def simulate(settings: Parameters, data: Data, seed: int, repeat: int) -> pd.DataFrame:
    """Return the learning curve of one run: `cycle`, `labels`, `accuracy`."""
    chance, cycles = partial(stream, 1000 * seed + repeat), settings.cycles
    ids = pd.Series(np.arange(len(data.losses)).astype(str))
    rows = draw(len(ids), settings.ranking.share, stream(1000 * seed, "ranking share"))
    ranked = rank(ids[rows], data.losses[rows], settings.ranking.order, chance("ranking"))
    table = split(ranked, cycles.number, settings.ranking.batches, settings.ranking.drop, chance("batches"))
    ranking = RankedRows.gather([table], lambda ids: ids.to_numpy(np.int64), len(data.losses))
    standing, rows = Standing(np.empty(0, np.int64)), []
    for cycle in range(cycles.number):
        candidates = ranking.unlabelled(standing.labelled, settings.query.scope, cycle)
        query = choose(settings, data, candidates, standing, cycle, chance)
        standing = standing.grown(data, query)
        right = standing.logits(data.test_features).argmax(1).numpy() == data.test_targets
        rows.append({"cycle": cycle, "labels": len(standing.labelled), "accuracy": right.mean()})
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Standing:
    """Where a run is: rows that are `labelled`, and the probe's `layer`."""

    labelled: np.ndarray
    layer: tuple[np.ndarray, np.ndarray] | None = None

    def logits(self, features: np.ndarray) -> torch.Tensor:
        weight, bias = self.layer
        return torch.from_numpy(features @ weight.T + bias)

    def grown(self, data: Data, query: np.ndarray) -> "Standing":
        """Return where the run is once the query is answered and learnt."""
        known = np.concatenate([self.labelled, query])
        layer = probe.fit_calibrated(data.features[known], data.targets[known], data.classes)[:2]
        return Standing(known, layer)


def choose(
    settings: Parameters,
    data: Data,
    candidates: pd.DataFrame,
    standing: Standing,
    cycle: int,
    chance: Callable[..., np.random.Generator],
) -> np.ndarray:
    """Return the rows of a query, as the nodes of a cycle choose it."""
    query, places = settings.query, candidates["id"].to_numpy(np.int64)
    budget = settings.cycles.budgets[cycle]
    facts = {"features": data.features[places], "labelled": data.features[standing.labelled]}
    if cycle:
        probabilities = standing.logits(facts["features"]).softmax(1)
        noise = chance("query", cycle).random(len(places))
        facts |= {
            "scores": noise if query.measure == RANDOM else MEASURES[query.measure](probabilities).double().numpy(),
            "probabilities": probabilities.numpy(),
            "counts": np.bincount(data.targets[standing.labelled], minlength=data.classes),
            "head": standing.layer,
        }
    elif query.start in selection.STARTS:
        return selection.start(candidates, query.start, budget, chance("query", cycle))["id"].to_numpy(np.int64)
    evidence = Evidence(
        budget=budget,
        rng=chance("strategy", cycle),
        cycle=cycle,
        classes=data.classes,
        batches=candidates["batch"].to_numpy(),
        losses=candidates["pretext_loss"].to_numpy(),
        **facts,
    )
    strategy = STRATEGIES[query.strategy](**query.options) if cycle else STRATEGIES[query.start]()
    return places[balanced(strategy, evidence) if cycle and query.balance else strategy.choose(evidence)]


def _arrays(catalog: CatalogProtocol) -> dict[str, np.ndarray]:
    classes = catalog.load("classes")
    found = {"classes": np.array(len(classes))}
    for prefix, labels in (("", "recorded_labels"), ("test_", "test_labels")):
        features = catalog.load(f"{prefix}features")
        answers = catalog.load(labels).set_index("id")["label"]
        found[f"{prefix}features"] = features.gather(np.arange(len(features))).numpy()
        found[f"{prefix}targets"] = classification.targets(answers.loc[features.ids], classes).numpy()
    losses = catalog.load("pretext_loss").read(["id", "pretext_loss"]).set_index("id")["pretext_loss"]
    return found | {"losses": losses.loc[catalog.load("features").ids].to_numpy()}


def _run(arm: str, settings: Parameters, kept: Path, seed: int, repeat: int, file: Path) -> None:
    torch.set_num_threads(1)
    threadpool_limits(1)
    curve = simulate(settings, load(kept), seed, repeat).assign(arm=arm, seed=seed, repeat=repeat)
    with replacing(file) as temporary:
        curve.to_csv(temporary, index=False)


def search(
    env: str, arms: dict[str, Parameters], typed: dict, repeats: range, workers: int, folder: Path
) -> pd.DataFrame:
    """Return every run's curve: `arm`, `seed`, `repeat`, `cycle`, `labels`, `accuracy`. Runs what is not there."""
    seeds = next(iter(arms.values())).comparison.seeds
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as processes:
        kept = {seed: processes.submit(prepare, env, typed, seed, folder) for seed in seeds}
        kept = {seed: made.result() for seed, made in kept.items()}
        files, left = [], []
        for arm, own in arms.items():
            for seed, repeat in ((seed, repeat) for seed in kept for repeat in repeats):
                files.append(folder / "runs" / f"{arm}-s{seed}-r{repeat}-{_made_with(own)}.csv")
                if not files[-1].exists():
                    left.append(processes.submit(_run, arm, own, kept[seed], seed, repeat, files[-1]))
        for ended in tqdm(as_completed(left), total=len(left), desc=env, unit="run"):
            ended.result()
    return pd.concat([pd.read_csv(file) for file in files], ignore_index=True)


def _made_with(settings: Parameters) -> str:
    return fingerprint(settings.query, settings.ranking, settings.cycles)


def summarise(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row an arm and seed, runs with one pretext network averaged: see `statistics.comparison.summary`."""
    cells = found.groupby(["arm", "seed", "cycle", "labels"], sort=False, as_index=False)["accuracy"].mean()
    return summary(cells.assign(repeat=0, run=cells["arm"] + "-s" + cells["seed"].astype(str)), "accuracy", LOW_BUDGET)


def tabulate(cells: pd.DataFrame, opponents: list[str], metric: str) -> pd.DataFrame:
    """Return one row an arm, best first, in points: `area`, `low_budget`, `final`; tests against each opponent."""
    rows = by_arm(cells).set_index("arm")[["area", "low_budget", "final"]] * 100
    for opponent, tests in paired(cells, metric, opponents).groupby("against", sort=False):
        rows = rows.join(tests.set_index("arm")[["difference", "p", "p_holm"]].add_suffix(f"_{opponent}"))
    return rows.sort_values(metric, ascending=False)


def some(known: dict[str, Parameters], wanted: list[str] | None) -> dict[str, Parameters]:
    """Return the wanted arms; all if nothing is said."""
    for arm in wanted or []:
        if arm not in known:
            raise SystemExit(f"no arm {arm!r}: {did_you_mean(arm, known)}")
    return {arm: own for arm, own in known.items() if arm in (wanted or known)}


def parsed() -> argparse.Namespace:
    """Return what was typed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--env", default="local")
    arguments.add_argument("--params", default="", help="as for kedro run")
    arguments.add_argument("--repeats", type=int, default=4, help="runs with each pretext network")
    arguments.add_argument("--first", type=int, default=0, help="repetition to begin with: others than a search saw")
    arguments.add_argument("--arms", nargs="*", help="all by default; those of the rule must be among them")
    arguments.add_argument("--metric", choices=["area", "low_budget", "final"], default="area", help="what is tested")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--others", nargs="*", type=Path, default=[], help="cells of searches, to rank over data")
    arguments.add_argument("--quick", action="store_true")
    options = arguments.parse_args()
    if options.quick:
        options.env = "tiny"
        options.repeats = 1
        options.arms = ["random", "margin"]
        options.workers = 1
    return options


def main() -> None:
    options = parsed()
    torch.set_num_threads(1)
    params = ",".join(filter(None, ["engine.threads=1", options.params]))
    settings, typed = configuration.read(options.env, params), configuration.typed(params)
    key = fingerprint(settings.pool, settings.features, settings.pretext)
    folder = Path("data/08_reporting/method_search") / f"{options.env}_{key}"
    repeats = range(options.first, options.first + options.repeats)
    chosen = some(arms(settings), options.arms)
    cells = summarise(search(options.env, chosen, typed, repeats, options.workers, folder))
    made_with = fingerprint(settings.cycles, settings.ranking.share)
    kept = folder / f"cells_{made_with}_{repeats.start}_{repeats.stop - 1}.csv"
    cells.to_csv(kept, index=False)
    print(f"{kept}\n{tabulate(cells, settings.comparison.rule.against, options.metric).round(3).to_markdown()}")
    placed = ranks({str(file): pd.read_csv(file) for file in [kept, *options.others]}, options.metric)
    if placed is not None:
        over_all = placed["by_data_set"].T.assign(mean=placed["ranks"]).sort_values("mean")
        print(f"\nRanks; Friedman's p {placed['p']:.4f}\n{over_all.to_markdown()}")


if __name__ == "__main__":
    main()
