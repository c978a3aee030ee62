"""Every setting of a run: one block for each block of parameters.yml, same order, same names."""

import re
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    model_validator,
)

from pt4al.block import Block
from pt4al.cluster.seam import LOCAL, Cluster
from pt4al.errors import counted, did_you_mean
from pt4al.features import backbones
from pt4al.images.augment import LARGEST_SIDE, Augmentation
from pt4al.images.building import Recipe
from pt4al.images.sources import SOURCES
from pt4al.pretext import PRETEXT_TASKS
from pt4al.project.configuration.instructions import ANY, AVX2
from pt4al.project.configuration.kinds import (
    ClassName,
    Images,
    Moment,
    Place,
    Text,
    one_of,
    several,
    typed,
)
from pt4al.project.configuration.source import Imbalance, Limit, Origin
from pt4al.selection.candidates import STARTS
from pt4al.selection.ranking import BATCHES, ORDERS
from pt4al.selection.strategies import FEATURE_STARTS, REMOVED, STRATEGIES
from pt4al.selection.uncertainty import BALD, LEARNING_LOSS, MEASURES, RANDOM
from pt4al.training import networks
from pt4al.training.precision import Hardware
from pt4al.training.schedule import MOST_EPOCHS, Schedule
from pt4al.training.tasks import TASKS

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.=-]*$"
BUCKET = r"^[a-z][a-z0-9+.-]*://[^@]+$"  # without a key: that would be logged
# Letters of a run's name, which a file system holds 255 of with what is put around it; a
# comparison's names its cells.
LONGEST_RUN = 200
LONGEST_ARM = 80
MOST_CYCLES = 2000  # Kedro needs 15 ms to prepare each
MOST_SEED = 2**63 - 1
MOST_THREADS = 1024
MOST_WORKERS = 100_000
PATIENCE = 3600.0  # seconds
MOST_SECONDS = 7 * 24 * 3600.0
ADDRESS = r"local|ray|ray://[^\s/]+:\d{1,5}"


def _typed_or_one(value: Any) -> Any:
    """As `typed`, where a single value may stay one."""
    return value.split("/") if isinstance(value, str) and "/" in value else value


def _not_removed(strategy: Any) -> Any:
    if isinstance(strategy, str) and strategy in REMOVED:
        raise ValueError(f"the strategy was removed, use {REMOVED[strategy]}")
    return strategy


def _cluster(address: str) -> str:
    if not re.fullmatch(ADDRESS, address):
        raise ValueError("say local, ray, or ray://host:port")
    return address


def _weights(path: str) -> str:
    if not path.endswith(".safetensors"):
        raise ValueError("it must be a .safetensors file, which holds no code")
    return path


Weights = Annotated[Place, AfterValidator(_weights)]
ArmName = Annotated[str, Field(pattern=NAME, max_length=LONGEST_ARM)]
Seed = Annotated[int, Field(ge=0, le=MOST_SEED)]
Architecture = Annotated[
    str, Field(max_length=LONGEST_RUN), AfterValidator(networks.validated_name)
]


class Run(Block):
    name: str = Field(pattern=NAME, max_length=LONGEST_RUN)
    seed: Seed
    repeat: Seed
    fresh: bool
    change: bool


class Engine(Block):
    device: one_of(["auto", "cpu", "cuda"])
    precision: one_of(["auto", "fp32", "bf16"])
    threads: Literal["auto"] | Annotated[int, Field(gt=0, le=MOST_THREADS)]
    # Left out where it is any, as if it were not there: older runs have no such setting.
    instructions: one_of([ANY, AVX2]) = Field(default=ANY, exclude_if=lambda chosen: chosen == ANY)
    # Likewise.
    cluster: Annotated[str, AfterValidator(_cluster)] = Field(
        default=LOCAL, exclude_if=lambda address: address == LOCAL
    )
    workers: Literal["auto"] | Annotated[int, Field(gt=0, le=MOST_WORKERS)] = Field(
        default="auto", exclude_if=lambda number: number == "auto"
    )
    patience: float = Field(
        default=PATIENCE, gt=0, le=MOST_SECONDS, exclude_if=lambda seconds: seconds == PATIENCE
    )
    ranks: int = Field(default=1, gt=0, le=MOST_WORKERS, exclude_if=lambda number: number == 1)

    @model_validator(mode="after")
    def _ranks_have_a_cluster(self) -> "Engine":
        if self.ranks > 1 and self.cluster == LOCAL:
            raise ValueError(
                f"`engine.ranks` is {self.ranks}, and several processes train together on a Ray"
                " cluster alone: set `engine.cluster` to ray, or `engine.ranks` to 1"
            )
        return self

    @property
    def hardware(self) -> Hardware:
        """Where and how numbers are computed, once nothing is `auto`."""
        return Hardware(self.device, self.precision, self.workforce, self.ranks)

    @property
    def workforce(self) -> Cluster:
        """Who does work in shards, once nothing else is `auto`."""
        number = self.workers
        if number == "auto":  # this process; on a cluster as many as there is room for
            number = 1 if self.cluster == LOCAL else 0
        gpus = 1.0 if self.device == "cuda" else 0.0
        return Cluster(self.cluster, number, self.threads, gpus, self.patience)

    @property
    def arithmetic(self) -> "Engine":
        """The same without what changes no bit of a result."""
        return self.model_copy(update={"cluster": LOCAL, "workers": "auto", "patience": PATIENCE})


class Pool(Recipe, Origin):  # the fields of Origin come first
    ignore: Annotated[list[Annotated[int, Field(ge=0, le=255)]], BeforeValidator(typed)]
    limit: Limit
    imbalance: Imbalance


class Features(Block):
    network: Annotated[str, Field(max_length=LONGEST_RUN), AfterValidator(backbones.validated_name)]
    weights: Weights | None
    size: Literal["auto"] | Annotated[int, Field(gt=0, le=LARGEST_SIDE)]

    @property
    def from_pretext(self) -> bool:
        """Whether they are those of the pretext network's trunk."""
        return self.network == backbones.PRETEXT

    @model_validator(mode="after")
    def _fit(self) -> "Features":
        if self.from_pretext and (self.weights is not None or self.size != "auto"):
            raise ValueError(
                "`features.network: pretext` takes the pretext network as it was trained: set"
                " `features.weights` to null and `features.size` to auto"
            )
        return self


class Pretext(Block):
    task: one_of(PRETEXT_TASKS)
    network: Architecture
    start_from: one_of(["fresh", "pretrained", "features"])
    weights: Weights | None
    losses: one_of(["in_sample", "cross_fitted", "mean_over_epochs"])
    augment: Augmentation
    schedule: Schedule

    @model_validator(mode="after")
    def _has_losses(self) -> "Pretext":
        task = PRETEXT_TASKS[self.task]
        if self.losses != "in_sample" and not task.trains:
            raise ValueError(
                f"`pretext.losses: {self.losses}` needs a task that is trained, {self.task} is not"
            )
        if self.start_from == "features" and not task.viewed:
            viewed = " and ".join(
                sorted(name for name, task in PRETEXT_TASKS.items() if task.viewed)
            )
            raise ValueError(
                "`pretext.start_from: features` needs a task that can be told from features of a"
                f" few views of an image: {viewed}; {self.task} is not one: set"
                " `pretext.start_from` to fresh"
            )
        return self

    @model_validator(mode="after")
    def _starts(self) -> "Pretext":
        _check_start("pretext", self)
        return self


class Ranking(Block):
    order: one_of(ORDERS)
    batches: one_of(BATCHES)
    drop: float = Field(ge=0, lt=0.5)
    # Left out where it is 1, as if it were not there: older runs have no such setting.
    share: float = Field(default=1, gt=0, le=1, exclude_if=lambda share: share == 1)


class Cycles(Block):
    number: int = Field(gt=0, le=MOST_CYCLES)
    budget: Annotated[Images | list[Images], BeforeValidator(_typed_or_one)]

    @model_validator(mode="after")
    def _budget_has_each_cycle(self) -> "Cycles":
        if len(self.budgets) != self.number:
            raise ValueError(
                f"`cycles.budget` lists the labels of {counted(len(self.budgets), 'cycle')},"
                f" `cycles.number` is {self.number}: write one number for each cycle, or one"
                " for all"
            )
        return self

    @property
    def budgets(self) -> list[int]:
        """Labels that each cycle asks for, of cycle 0 first."""
        return self.budget if isinstance(self.budget, list) else [self.budget] * self.number


class Query(Block):
    start: one_of([*STARTS, *FEATURE_STARTS])
    scope: one_of(["batch", "pool"])
    strategy: Annotated[one_of(STRATEGIES), BeforeValidator(_not_removed)]
    measure: one_of([*MEASURES, RANDOM, BALD, LEARNING_LOSS])
    features: one_of(["main", "cached"])
    model: one_of(["main", "probe"])
    balance: bool
    options: dict[Text, bool | int | float | str]
    normalise_logits: bool

    @property
    def by_measure_or_strategy(self) -> str:
        """What chooses images once there is a model: a strategy, or the measure itself."""
        return self.measure if self.strategy == "top" else self.strategy

    @property
    def uses_ranking(self) -> bool:
        """Whether the ranking by pretext loss has a say in what is chosen."""
        return (
            self.scope != "pool"
            or self.start == "even_intervals"
            or self.options.get("weight") == "loss"
            or self.strategy == "strata"  # which looks at it, whatever the scope
        )

    @model_validator(mode="after")
    def _strategy_has_options(self) -> "Query":
        known = [field.name for field in fields(STRATEGIES[self.strategy])]
        for name in self.options.keys() - set(known):
            raise ValueError(
                f"`query.options.{name}` is none of strategy {self.strategy}: it has"
                f" {', '.join(known) or 'none'}"
            )
        STRATEGIES[self.strategy](
            **self.options
        )  # which raises ValueError for a value that makes no sense
        return self


POOL = "pool"  # as `oracle.known_labels`: all labels that runs on the same pool have


class GoOn(Block):
    share: float = Field(gt=0, le=1)
    after: Moment | None


class Oracle(Block):
    kind: one_of(["recorded", "people"])
    classes: several(ClassName, least=2) | None
    annotators: int = Field(gt=0, le=1000)
    disagreement: one_of(["latest", "majority", "consensus"])
    skipped: one_of(["replace", "leave_out"])
    reserve: float = Field(ge=0, le=5)
    go_on: GoOn
    known_labels: Place | None
    relabel: float = Field(default=0, ge=0, lt=1)
    # Left out where it says nothing, as if it were not there: older runs have no such setting.
    descriptions: dict[ClassName, Text] = Field(default={}, exclude_if=lambda texts: not texts)

    @model_validator(mode="after")
    def _descriptions_are_of_classes(self) -> "Oracle":
        for name in self.descriptions.keys() - set(self.classes or self.descriptions):
            raise ValueError(
                f"`oracle.descriptions` has {name!r}, which is no class:"
                f" {did_you_mean(name, self.classes)}"
            )
        return self

    @property
    def knows_pool(self) -> bool:
        """Whether a run starts from the labels that people gave in other runs on its pool."""
        return self.kind == "people" and self.known_labels == POOL

    @model_validator(mode="after")
    def _classes_are_names(self) -> "Oracle":
        if not all(self.classes or ["a"]):
            raise ValueError(f"`oracle.classes` is {self.classes}: each needs a name")
        return self


class Control(Block):
    share: Literal["auto"] | Annotated[float, Field(ge=0, lt=1)]
    train: bool


class Main(Block):
    task: one_of(TASKS)
    network: Architecture
    start_from: one_of(["fresh", "previous_cycle", "pretext", "pretrained", "features"])
    weights: Weights | None
    frozen: Literal["all"] | Annotated[int, Field(ge=0, le=MOST_EPOCHS)]
    dropout: float = Field(ge=0, lt=1)
    class_weights: one_of(["none", "median_frequency"])
    augment: Augmentation
    schedule: Schedule

    @property
    def probes(self) -> bool:
        """Whether the main model is a linear probe of the cached features."""
        return self.start_from == "features" and self.frozen == "all"

    @model_validator(mode="after")
    def _starts(self) -> "Main":
        _check_start("main", self)
        if self.start_from == "features" and self.task == "segmentation":
            raise ValueError(
                "`main.start_from: features` answers once an image, and `main.task: segmentation`"
                " once a pixel: set `main.start_from` to fresh, pretext or pretrained"
            )
        return self


class Stop(Block):
    target: Annotated[float, Field(gt=0, le=1)] | None
    gain: Annotated[float, Field(ge=0, le=100)] | None
    flat: Annotated[float, Field(ge=0, le=100)] | None


class Price(Block):
    label: Annotated[float, Field(ge=0, le=1e9)] | None
    hour: Annotated[float, Field(ge=0, le=1e9)] | None
    currency: Annotated[Text, Field(max_length=20)]


class Report(Block):
    baselines: several(Annotated[str, Field(pattern=NAME, max_length=LONGEST_RUN)])
    reasons: bool
    map: one_of(["pca", "umap", "none"])
    suspects: Literal["auto"] | bool = "auto"
    stop: Stop
    price: Price


class Rule(Block):
    claim: Text
    against: several(Text, least=1)
    metric: one_of(["area", "final", "low_budget"])
    alpha: float = Field(gt=0, lt=1)
    least_gain: float = Field(ge=0, le=100)


class Comparison(Block):
    name: ArmName
    arms: dict[ArmName, dict[str, Any]]
    compared: several(Text, least=2)
    seeds: several(Seed, least=2)
    share: float = Field(gt=0, le=1)
    workers: int = Field(gt=0, le=MOST_THREADS)
    threads: int = Field(gt=0, le=MOST_THREADS)
    reference: Text
    repeated: Text | None
    low_budget: int = Field(gt=0, le=MOST_CYCLES)
    rule: Rule
    others: several(ArmName)

    @model_validator(mode="after")
    def _arms_are_known(self) -> "Comparison":
        named = {
            "compared": self.compared,
            "rule.against": self.rule.against,
            "reference": [self.reference],
        }
        named |= {
            "rule.claim": [self.rule.claim],
            "repeated": [self.repeated] if self.repeated else [],
        }
        for where, names in named.items():
            known = self.arms if where == "compared" else self.compared
            for name in names:
                if name not in known:
                    raise ValueError(
                        f"`comparison.{where}` names {name!r}: {did_you_mean(name, sorted(known))}"
                    )
        return self


class ColdStart(Block):
    starts: several(one_of([*STARTS, *FEATURE_STARTS]), least=1)
    budgets: several(Images, least=1)
    seeds: int = Field(gt=1, le=10_000)


class Predict(Block):
    path: Place | None
    kind: one_of(SOURCES)
    cycle: Literal["last", "best"] | Annotated[int, Field(ge=0, lt=MOST_CYCLES)]
    register_as: Annotated[str, Field(pattern=NAME)] | None
    onnx: bool


class Storage(Block):
    """Where results are kept beside this machine's disk: no run depends on it."""

    address: Annotated[Text, Field(pattern=BUCKET)] | None = None
    patience: float = Field(default=300, gt=0, le=86_400)
    cache: Annotated[float, Field(gt=0, le=1_000_000)] | None = None


class Parameters(Block):
    """The whole of parameters.yml."""

    run: Run
    engine: Engine
    pool: Pool
    features: Features
    pretext: Pretext
    ranking: Ranking
    cycles: Cycles
    query: Query
    oracle: Oracle
    control: Control
    main: Main
    report: Report
    comparison: Comparison
    cold_start: ColdStart
    predict: Predict
    storage: Storage = Storage()

    @model_validator(mode="after")
    def _trunk_fits(self) -> "Parameters":
        if self.main.start_from == "pretext" and self.main.network != self.pretext.network:
            raise ValueError(
                "`main.start_from: pretext` needs one network for both: `main.network` is"
                f" {self.main.network}, `pretext.network` is {self.pretext.network}"
            )
        return self

    @model_validator(mode="after")
    def _features_fit(self) -> "Parameters":
        own = self.features.from_pretext
        if own and self.pretext.start_from == "features":
            raise ValueError(
                "`pretext.start_from: features` trains on features, which `features.network:"
                " pretext` takes from what is trained: set `features.network` to"
                " efficientnet_lite0, say, or `pretext.start_from` to fresh"
            )
        if own and self.main.start_from == "features" and not self.main.probes:
            raise ValueError(
                "`main.start_from: features` with `features.network: pretext` is `main.start_from:"
                " pretext`: set that, or `main.frozen` to all"
            )
        return self

    @model_validator(mode="after")
    def _ranks_fit(self) -> "Parameters":
        if self.engine.ranks > 1 and self.pretext.losses == "mean_over_epochs":
            raise ValueError(
                "`pretext.losses: mean_over_epochs` looks at the network after each epoch, which"
                f" `engine.ranks` {self.engine.ranks} trains elsewhere: set `pretext.losses` to"
                " cross_fitted or in_sample, or `engine.ranks` to 1"
            )
        return self

    @model_validator(mode="after")
    def _relabelling_fits(self) -> "Parameters":
        _check_relabel(self.oracle, self.main)
        return self

    @model_validator(mode="after")
    def _query_fits(self) -> "Parameters":
        query = self.query
        main = self.main
        if main.task == "segmentation" and query.model == "probe":
            raise ValueError(
                "`query.model: probe` needs one class an image, `main.task: segmentation` has many"
            )
        if query.model == "probe" and query.measure in (BALD, LEARNING_LOSS):
            raise ValueError(
                f"`query.measure` {query.measure} asks the main network itself: set `query.model`"
                " to main"
            )
        if main.task == "segmentation":
            if query.balance or {"probabilities", "head"} & STRATEGIES[query.strategy].needs:
                raise ValueError(
                    f"`query.strategy` {query.strategy} with `query.balance` {query.balance} needs"
                    " one class an image, `main.task: segmentation` has many"
                )
            if query.measure in (BALD, LEARNING_LOSS):
                raise ValueError(
                    f"`query.measure` {query.measure} is for `main.task: classification` alone"
                )
        if self.oracle.kind == "people" and self.ranking.share < 1:
            raise ValueError(
                f"`ranking.share` {self.ranking.share:g} compares seeds by recorded labels; with"
                " `oracle.kind: people` it must be 1"
            )
        asked = main.probes or query.model == "probe"  # whose head reads the cached features
        if "head" in STRATEGIES[query.strategy].needs and asked != (query.features == "cached"):
            raise ValueError(
                f"`query.strategy: {query.strategy}` needs the features that the asked model's head"
                f" reads: set `query.features` to {'cached' if asked else 'main'}"
            )
        if query.measure == BALD and not main.dropout:
            raise ValueError("`query.measure: bald` needs `main.dropout` above 0, such as 0.5")
        if query.measure == LEARNING_LOSS and main.frozen == "all":
            raise ValueError(
                "`query.measure: learning_loss` needs training steps, `main.frozen: all` has none"
            )
        return self


def _check_relabel(oracle: Oracle, main: Main) -> None:
    if not oracle.relabel:
        return
    if oracle.kind == "recorded":
        raise ValueError(
            f"`oracle.relabel` {oracle.relabel:g} asks people again, and recorded labels would be"
            " the same again: set it to 0"
        )
    if main.task == "segmentation":
        raise ValueError(
            f"`oracle.relabel` {oracle.relabel:g} needs one class an image, `main.task:"
            " segmentation` has many: set it to 0"
        )
    if oracle.disagreement != "latest":
        raise ValueError(
            f"`oracle.relabel` {oracle.relabel:g} lets the newest answer count, which"
            f" `oracle.disagreement: {oracle.disagreement}` doesn't: set that to latest, or"
            " `oracle.relabel` to 0"
        )


def _check_start(name: str, block: Pretext | Main) -> None:
    pretrained = block.start_from == "pretrained"
    if pretrained and block.network in networks.OWN:
        raise ValueError(
            f"`{name}.start_from: pretrained` needs a network that others have trained, timm/... or"
            f" unet/...; nobody offers weights for `{name}.network` {block.network}"
        )
    if block.weights is not None and not pretrained:
        raise ValueError(
            f"`{name}.weights` is {block.weights}, which `{name}.start_from: {block.start_from}`"
            f" doesn't read: set it to pretrained, or `{name}.weights` to null"
        )
