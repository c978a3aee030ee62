"""Every setting of a run: one block for each block of parameters.yml, same order, same names."""

import hashlib
import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from pt4al.block import Block
from pt4al.errors import InputError, did_you_mean
from pt4al.images.augment import Augmentation
from pt4al.images.building import Recipe
from pt4al.images.sources import SOURCES
from pt4al.pretext import PRETEXT_TASKS
from pt4al.selection.query import STARTS
from pt4al.selection.ranking import ORDERS
from pt4al.selection.uncertainty import MEASURES, RANDOM
from pt4al.training import networks
from pt4al.training.schedule import Schedule
from pt4al.training.tasks import TASKS


def one_of(known: Iterable[str]) -> Any:
    """The type of a name that must be a key of a registry."""
    known = sorted(known)

    def check(name: str) -> str:
        if name not in known:
            raise ValueError(did_you_mean(name, known))
        return name

    return Annotated[str, AfterValidator(check)]


class Run(Block):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.=-]*$")
    seed: int = Field(ge=0)
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
    classes: list[str] | None
    test: Annotated[float, Field(gt=0, lt=1)] | str


class Pool(Recipe, Origin):  # the fields of Origin come first
    ignore: list[Annotated[int, Field(ge=0, le=255)]]
    limit: Limit


class Pretext(Block):
    task: one_of(PRETEXT_TASKS)
    network: Annotated[str, AfterValidator(networks.known)]
    start_from: one_of(["fresh", "pretrained"])
    weights: str | None
    augment: Augmentation
    schedule: Schedule


class Ranking(Block):
    order: one_of(ORDERS)


class Cycles(Block):
    number: int = Field(gt=0)
    budget: int = Field(gt=0)


class Query(Block):
    start: one_of(STARTS)
    scope: one_of(["batch", "pool"])
    measure: one_of([*MEASURES, RANDOM])
    normalise_logits: bool


class Oracle(Block):
    kind: one_of(["recorded"])


class Main(Block):
    task: one_of(TASKS)
    network: Annotated[str, AfterValidator(networks.known)]
    start_from: one_of(["fresh", "previous_cycle", "pretext", "pretrained"])
    weights: str | None
    class_weights: one_of(["none", "median_frequency"])
    augment: Augmentation
    schedule: Schedule


class Report(Block):
    baselines: list[str]


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
    main: Main
    report: Report

    @model_validator(mode="after")
    def _trunk_fits(self) -> "Parameters":
        if self.main.start_from == "pretext" and self.main.network != self.pretext.network:
            raise ValueError(
                f"`main.start_from: pretext` needs one network for both: `main.network` is {self.main.network}, "
                f"`pretext.network` is {self.pretext.network}"
            )
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


def fingerprint(*blocks: Any) -> str:
    """Return 12 hexadecimal digits that stand for these settings."""
    plain = [block.model_dump() if isinstance(block, Block) else block for block in blocks]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def _worded(found: dict) -> str:
    message = found["msg"].removeprefix("Value error, ")
    if not found["loc"]:
        return f"  {message}"
    # pydantic adds what a union's branch is called, such as `constrained-int`.
    path = [step for step in found["loc"] if isinstance(step, str) and step.isidentifier()]
    where = f"  `{'.'.join(path)}`"
    if found["type"] == "extra_forbidden":
        return f"{where} is unknown: {did_you_mean(path[-1], _fields(path[:-1]))}"
    if found["type"] == "missing":
        return f"{where} is missing"
    return f"{where} is {found['input']!r}: {message}"


def _fields(path: list[str]) -> list[str]:
    block: Any = Parameters
    for step in path:
        block = block.model_fields[step].annotation
    return list(block.model_fields)
