"""Every setting of a run: one block for each block of parameters.yml, same order, same names."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationError, model_validator

from pt4al.block import Block
from pt4al.errors import InputError, did_you_mean
from pt4al.images.augment import Augmentation
from pt4al.images.building import Recipe
from pt4al.images.sources import SOURCES
from pt4al.pretext import PRETEXT_TASKS
from pt4al.selection.query import STARTS
from pt4al.selection.ranking import BATCHES, ORDERS
from pt4al.selection.strategies import FEATURE_STARTS, STRATEGIES
from pt4al.selection.uncertainty import BALD, LEARNING_LOSS, MEASURES, RANDOM
from pt4al.training import networks
from pt4al.training.schedule import Schedule
from pt4al.training.tasks import TASKS

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.=-]*$"


# Kedro's --params splits at commas: there names are typed cat/dog/rabbit.
def _typed(names: Any) -> Any:
    return names.split("/") if isinstance(names, str) and "/" in names else names


Names = Annotated[list[str], BeforeValidator(_typed)]


def one_of(known: Iterable[str]) -> Any:
    """The type of a name that must be a key of a registry."""
    known = sorted(known)

    def check(name: str) -> str:
        if name not in known:
            raise ValueError(did_you_mean(name, known))
        return name

    return Annotated[str, AfterValidator(check)]


class Run(Block):
    name: str = Field(pattern=NAME)
    seed: int = Field(ge=0)
    repeat: int = Field(ge=0)
    fresh: bool


class Engine(Block):
    device: one_of(["auto", "cpu", "cuda"])
    precision: one_of(["auto", "fp32", "bf16"])
    threads: Literal["auto"] | Annotated[int, Field(gt=0)]


class Source(Block):
    kind: one_of(SOURCES)
    path: str


class Limit(Block):
    train: Annotated[int, Field(gt=0)] | None
    test: Annotated[int, Field(gt=0)] | None


class Origin(Block):
    source: Source
    classes: Names | None
    test: Annotated[float, Field(gt=0, lt=1)] | str


class Imbalance(Block):
    kind: one_of(["none", "long_tail", "steps"])
    factor: float = Field(ge=1)


class Pool(Recipe, Origin):  # the fields of Origin come first
    ignore: list[Annotated[int, Field(ge=0, le=255)]]
    limit: Limit
    imbalance: Imbalance


class Pretext(Block):
    task: one_of(PRETEXT_TASKS)
    network: Annotated[str, AfterValidator(networks.known)]
    start_from: one_of(["fresh", "pretrained"])
    weights: str | None
    losses: one_of(["in_sample", "cross_fitted", "mean_over_epochs"])
    augment: Augmentation
    schedule: Schedule

    @model_validator(mode="after")
    def _has_losses(self) -> "Pretext":
        if self.losses != "in_sample" and not PRETEXT_TASKS[self.task].trains:
            raise ValueError(f"`pretext.losses: {self.losses}` needs a task that is trained, {self.task} is not")
        return self


class Ranking(Block):
    order: one_of(ORDERS)
    batches: one_of(BATCHES)
    drop: float = Field(ge=0, lt=0.5)


class Cycles(Block):
    number: int = Field(gt=0)
    budget: int = Field(gt=0)


class Query(Block):
    start: one_of([*STARTS, *FEATURE_STARTS])
    scope: one_of(["batch", "pool"])
    strategy: one_of(STRATEGIES)
    measure: one_of([*MEASURES, RANDOM, BALD, LEARNING_LOSS])
    features: one_of(["main", "pretext"])
    balance: bool
    options: dict[str, bool | int | float | str]
    normalise_logits: bool

    @model_validator(mode="after")
    def _strategy_has_options(self) -> "Query":
        known = [field.name for field in fields(STRATEGIES[self.strategy])]
        for name in self.options.keys() - set(known):
            raise ValueError(
                f"`query.options.{name}` is none of strategy {self.strategy}: it has {', '.join(known) or 'none'}"
            )
        STRATEGIES[self.strategy](**self.options)  # which raises ValueError for a value that makes no sense
        return self


class GoOn(Block):
    share: float = Field(gt=0, le=1)
    after: AwareDatetime | None


class Oracle(Block):
    kind: one_of(["recorded", "people"])
    classes: Names | None
    annotators: int = Field(gt=0)
    disagreement: one_of(["latest", "majority", "consensus"])
    skipped: one_of(["replace", "leave_out"])
    reserve: float = Field(ge=0, le=5)
    go_on: GoOn
    known_labels: str | None

    @model_validator(mode="after")
    def _classes_are_names(self) -> "Oracle":
        names = self.classes or ["a", "b"]
        if len(names) < 2 or len(set(names)) < len(names) or not all(name.strip() == name != "" for name in names):
            raise ValueError(f"`oracle.classes` is {names}: at least two different names were expected")
        return self


class Control(Block):
    share: Literal["auto"] | Annotated[float, Field(ge=0, lt=1)]
    train: bool


class Main(Block):
    task: one_of(TASKS)
    network: Annotated[str, AfterValidator(networks.known)]
    start_from: one_of(["fresh", "previous_cycle", "pretext", "pretrained"])
    weights: str | None
    frozen: Literal["all"] | Annotated[int, Field(ge=0)]
    dropout: float = Field(ge=0, lt=1)
    class_weights: one_of(["none", "median_frequency"])
    augment: Augmentation
    schedule: Schedule


class Stop(Block):
    target: Annotated[float, Field(gt=0, le=1)] | None
    gain: Annotated[float, Field(ge=0)] | None
    flat: Annotated[float, Field(ge=0)] | None


class Price(Block):
    label: Annotated[float, Field(ge=0)] | None
    hour: Annotated[float, Field(ge=0)] | None
    currency: str


class Report(Block):
    baselines: list[str]
    reasons: bool
    stop: Stop
    price: Price


class Rule(Block):
    claim: str
    against: list[str]
    metric: one_of(["area", "final", "low_budget"])
    alpha: float = Field(gt=0, lt=1)
    least_gain: float = Field(ge=0)


class Comparison(Block):
    name: str = Field(pattern=NAME)
    arms: dict[Annotated[str, Field(pattern=NAME)], dict[str, Any]]
    compared: list[str] = Field(min_length=2)
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=2)
    workers: int = Field(gt=0)
    threads: int = Field(gt=0)
    reference: str
    repeated: str | None
    low_budget: int = Field(gt=0)
    rule: Rule
    others: list[str]

    @model_validator(mode="after")
    def _arms_are_known(self) -> "Comparison":
        named = {"compared": self.compared, "rule.against": self.rule.against, "reference": [self.reference]}
        named |= {"rule.claim": [self.rule.claim], "repeated": [self.repeated] if self.repeated else []}
        for where, names in named.items():
            known = self.arms if where == "compared" else self.compared
            for name in names:
                if name not in known:
                    raise ValueError(f"`comparison.{where}` names {name!r}: {did_you_mean(name, sorted(known))}")
        return self


class ColdStart(Block):
    starts: list[one_of([*STARTS, *FEATURE_STARTS])] = Field(min_length=1)
    budgets: list[Annotated[int, Field(gt=0)]] = Field(min_length=1)
    seeds: int = Field(gt=1)


class Predict(Block):
    path: str | None
    kind: one_of(SOURCES)
    cycle: Literal["last", "best"] | Annotated[int, Field(ge=0)]
    register_as: Annotated[str, Field(pattern=NAME)] | None
    onnx: bool


# Of block `oracle`: what may change between two cycles of a run.
POLICIES = {"classes", "annotators", "disagreement", "skipped", "reserve", "go_on"}
# Blocks that no run's results depend on.
BESIDE = {"report", "comparison", "cold_start", "predict"}


class Parameters(Block):
    """The whole of parameters.yml."""

    run: Run
    engine: Engine
    pool: Pool
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

    @model_validator(mode="after")
    def _trunk_fits(self) -> "Parameters":
        if self.main.start_from == "pretext" and self.main.network != self.pretext.network:
            raise ValueError(
                f"`main.start_from: pretext` needs one network for both: `main.network` is {self.main.network}, "
                f"`pretext.network` is {self.pretext.network}"
            )
        return self

    @model_validator(mode="after")
    def _query_fits(self) -> "Parameters":
        query, main = self.query, self.main
        if main.task == "segmentation":
            if query.balance or "probabilities" in STRATEGIES[query.strategy].needs:
                raise ValueError(
                    f"`query.strategy` {query.strategy} with `query.balance` {query.balance} needs one class an image, "
                    "`main.task: segmentation` has many"
                )
            if query.measure in (BALD, LEARNING_LOSS):
                raise ValueError(f"`query.measure` {query.measure} is for `main.task: classification` alone")
        if query.measure == BALD and not main.dropout:
            raise ValueError("`query.measure: bald` needs `main.dropout` above 0, such as 0.5")
        if query.measure == LEARNING_LOSS and main.frozen == "all":
            raise ValueError("`query.measure: learning_loss` needs training steps, `main.frozen: all` has none")
        return self


def check(raw: dict) -> Parameters:
    """Return the parameters, or raise one InputError that names everything that is wrong with them."""
    try:
        return Parameters.model_validate(raw)
    except ValidationError as error:
        wrong = [_worded(found) for found in error.errors()]
        raise InputError("\n".join(["parameters (conf/, or --params):", *wrong])) from None


def flat(parameters: dict, prefix: str = "") -> dict[str, Any]:
    """Return nested parameters as one level of dotted names."""
    leaves: dict[str, Any] = {}
    for name, value in parameters.items():
        leaves |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return leaves


def identity(parameters: Parameters) -> dict[str, Any]:
    """Return the settings that make a run what it is, by dotted name: with others it would be another run."""
    apart = dict.fromkeys(BESIDE, True) | {"run": {"fresh"}, "oracle": POLICIES}
    return flat(parameters.model_dump(mode="json", exclude=apart))


def fingerprint(*blocks: Any) -> str:
    """Return 12 hexadecimal digits that stand for these settings."""
    plain = [block.model_dump() if isinstance(block, Block) else block for block in blocks]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def _worded(found: dict) -> str:
    message = found["msg"].removeprefix("Value error, ")
    whole = found["type"] == "value_error" and isinstance(found["input"], dict)
    if not found["loc"] or whole:  # of a block as a whole: it says itself where
        return f"  {message}"
    # pydantic adds what a union's branch is called, such as `constrained-int`.
    path = [step for step in found["loc"] if isinstance(step, str) and step.isidentifier()]
    if found["type"] == "extra_forbidden":
        key = str(found["loc"][-1])  # anything, `query-measure` for `query.measure` too
        block = path[:-1] if key in path[-1:] else path
        return f"  `{'.'.join([*block, key])}` is unknown: {did_you_mean(key, _fields(block))}"
    where = f"  `{'.'.join(path)}`"
    if found["type"] == "missing":
        return f"{where} is missing"
    return f"{where} is {found['input']!r}: {message}"


def _fields(path: list[str]) -> list[str]:
    block: Any = Parameters
    for step in path:
        block = block.model_fields[step].annotation
    return list(block.model_fields)
