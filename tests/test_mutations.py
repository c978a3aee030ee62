"""Thousands of wrong configurations: each is accepted by every check, or refused by one message that says where."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.pipelines.comparison.plan import cells
from pt4al.pipelines.pool.nodes import collect
from pt4al.project.configuration.folder_names import folders
from pt4al.project.configuration.identity import identity
from pt4al.project.configuration.parameters import Parameters, Pool
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs import checks
from pt4al.project.runs.engine import resolve_engine
from support.mutations import mutated

COLLECTED: dict[str, dict[str, Collection]] = {}
ROOT = Path(__file__).parents[1]
DAILY, THOROUGH = 150, 4_000


@cache
def valid() -> dict:
    raw = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
    raw["comparison"] |= {"compared": ["random", "paper"], "seeds": [0, 1], "repeated": None}  # four cells, not sixty
    raw["comparison"]["rule"] |= {"claim": "paper", "against": ["random"]}
    return raw


def collected(pool: Pool) -> dict[str, Collection]:
    """What is at the source, read once for equal settings."""
    settings = pool.model_dump_json()
    if settings not in COLLECTED:
        COLLECTED[settings] = collect(pool)
    return COLLECTED[settings]


def later(parameters: Parameters, precision: Path) -> None:
    """Everything that a command asks before anything is trained or decoded; an answer may be an InputError."""
    engine = resolve_engine(parameters.engine, precision)
    control = parameters.control.model_copy(update={"share": 0.0}) if parameters.control.share == "auto" else None
    parameters = parameters.model_copy(update={"engine": engine, **({"control": control} if control else {})})
    assert folders(parameters, versioned=True)["run"] == parameters.run.name
    assert identity(parse(parameters.model_dump(mode="json"))) == identity(parameters)
    cells(parameters.model_dump(mode="json"), {})
    checks.check_files(parameters)
    parts = collected(parameters.pool)
    checks.check_labels(parameters, parts)
    checks.known_labels(parameters, parts["train"])
    checks.check_budgets(parameters, len(parts["train"]))
    checks.check_cold_start(parameters, len(parts["train"]))


def survives(seed: int, precision: Path) -> bool:
    """Whether a configuration is accepted; fails if it is neither that nor refused in words."""
    raw, paths = mutated(valid(), seed)
    try:
        parameters = parse(raw)
    except InputError as error:
        message = str(error)
        places = {".".join(path.split(".")[:depth]) for path in paths for depth in range(1, path.count(".") + 2)}
        assert any(f"`{place}" in message for place in places), f"seed {seed}: {paths} are not named by {message}"
        assert len(message) < 5_000, f"seed {seed}"
        return False
    try:
        later(parameters, precision)
    except InputError as error:
        assert str(error).strip(), f"seed {seed}"
    return True


@pytest.fixture
def precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the self-test found: it takes a second, and is not what is tested here."""
    monkeypatch.setattr("pt4al.project.runs.engine.choose_precision", lambda device: "fp32")
    monkeypatch.chdir(ROOT)
    return tmp_path / "precision.json"


def test_a_wrong_configuration_is_told_in_words_by_every_check(precision: Path) -> None:
    accepted = sum(survives(seed, precision) for seed in range(DAILY))
    assert DAILY / 50 < accepted < DAILY / 2  # else the changes are too wild, or too tame, to say anything


@pytest.mark.slow
def test_thousands_of_wrong_configurations_are_told_in_words(precision: Path) -> None:
    for seed in range(DAILY, DAILY + THOROUGH):
        survives(seed, precision)
