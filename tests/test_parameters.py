"""The configuration that ships is valid, every setting is used, and a mistake in one is a message that names it."""

import ast
import copy
import itertools
from pathlib import Path

import pydantic
import pytest
import yaml

from pt4al.block import Block
from pt4al.errors import InputError
from pt4al.parameters import Parameters, Pool, Price, Rule, Stop, check, fingerprint, flat

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = sorted(path.parent.name for path in (ROOT / "conf").glob("*/parameters.yml"))
MISSING = object()


def read(environment: str) -> dict:
    return yaml.safe_load((ROOT / "conf" / environment / "parameters.yml").read_text())


def merge(below: dict, above: dict) -> dict:
    """Put one environment over another, as Kedro's soft merge does."""
    merged = dict(below)
    for name, value in above.items():
        deeper = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = merge(merged[name], value) if deeper else value
    return merged


def changed(path: str, value: object) -> dict:
    """The base configuration with another value at a dotted path, or without it."""
    *blocks, leaf = path.split(".")
    raw = block = copy.deepcopy(read("base"))
    for name in blocks:
        block = block[name]
    if value is MISSING:
        del block[leaf]
    else:
        block[leaf] = value
    return raw


def leaves(block: type[Block]) -> set[str]:
    """Names of the settings of a block and of the blocks within it."""
    found = set()
    for name, field in block.model_fields.items():
        nested = isinstance(field.annotation, type) and issubclass(field.annotation, Block)
        found |= leaves(field.annotation) if nested else {name}
    return found


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_environment_that_ships_is_valid_over_base(environment):
    check(merge(read("base"), read(environment)))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_environment_states_settings_that_base_has(environment):
    assert flat(read(environment)).keys() <= flat(read("base")).keys()


def test_blocks_stand_in_the_order_of_the_file():
    raw, blocks = read("base"), check(read("base")).model_dump()
    assert list(blocks) == list(raw)
    assert list(flat(blocks)) == list(flat(raw))


def test_checked_parameters_pass_the_check_again():
    parameters = check(read("base"))
    assert check(parameters.model_dump(mode="json")) == parameters


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("pretext.augment.crop_paddin", 2, "`pretext.augment.crop_paddin` is unknown: did you mean 'crop_padding'?"),
        ("main.schedule.epoch", 3, "`main.schedule.epoch` is unknown: did you mean 'epochs'?"),
        ("runs", {}, "`runs` is unknown: did you mean 'run'?"),
        ("query.measure", "margn", "`query.measure` is 'margn': did you mean 'margin'?"),
        ("pretext.network", "resnet8_16", "the project has no network 'resnet8_16': did you mean 'resnet8_w16'?"),
        ("ranking.order", "zzz", "`ranking.order` is 'zzz': known: easiest_first, hardest_first"),
        ("main.schedule.shape", "cosine", "`main.schedule.shape` is 'cosine'"),
        ("cycles.budget", "many", "`cycles.budget` is 'many'"),
        ("cycles.number", 2.5, "`cycles.number` is 2.5"),
        ("run.fresh", "perhaps", "`run.fresh` is 'perhaps'"),
        ("pool.classes", "cat", "`pool.classes` is 'cat'"),
        ("pool", None, "`pool` is None"),
        ("pool.channels", 2, "`pool.channels` is 2"),
        ("pool.noise", -1, "`pool.noise` is -1"),
        ("pool.limit.train", 0, "`pool.limit.train` is 0"),
        ("run.seed", -1, "`run.seed` is -1"),
        ("run.name", "../elsewhere", "`run.name` is '../elsewhere'"),
        ("main.schedule.momentum", 1, "`main.schedule.momentum` is 1"),
        ("main.schedule.epochs", float("inf"), "`main.schedule.epochs` is inf"),
        ("engine.threads", 0, "`engine.threads` is 0"),
        ("engine.device", "gpu", "`engine.device` is 'gpu': did you mean 'cpu'?"),
        ("main.schedule.minibatch", MISSING, "`main.schedule.minibatch` is missing"),
        ("oracle", MISSING, "`oracle` is missing"),
        ("query.options", {"number": 3}, "`query.options.number` is none of strategy top: it has none"),
        ("query.measure", "bald", "`query.measure: bald` needs `main.dropout` above 0"),
        ("comparison.rule.claim", "ours", "`comparison.rule.claim` names 'ours': known: badge"),
    ],
)
def test_mistake_is_one_message_with_the_dotted_name_and_the_value(path, value, message):
    with pytest.raises(InputError) as raised:
        check(changed(path, value))
    assert message in str(raised.value)


def test_message_holds_no_names_but_a_persons():
    with pytest.raises(InputError) as raised:
        check(changed("engine.threads", "many"))
    assert "constrained-int" not in str(raised.value)


def test_all_mistakes_are_told_at_once():
    raw = changed("query.measure", "margn")
    raw["main"]["schedule"]["epochs"] = 0
    with pytest.raises(InputError) as raised:
        check(raw)
    assert "`query.measure`" in str(raised.value)
    assert "`main.schedule.epochs`" in str(raised.value)


def test_trunk_of_another_network_is_refused_with_both_names():
    raw = changed("main.network", "resnet18")
    raw["main"]["start_from"] = "pretext"
    with pytest.raises(InputError, match=r"`main.network` is resnet18, `pretext.network` is resnet8_w16"):
        check(raw)
    raw["main"]["start_from"] = "fresh"
    check(raw)


def test_parameters_cannot_be_changed():
    with pytest.raises(pydantic.ValidationError):
        check(read("base")).run.seed = 1


def test_flat_has_a_dotted_name_for_every_leaf():
    assert flat({"a": 1, "b": {"c": None, "d": {"e": [2, {"f": 3}]}}}) == {"a": 1, "b.c": None, "b.d.e": [2, {"f": 3}]}


def test_fingerprint_does_not_depend_on_the_order_of_settings():
    turned = {name: dict(reversed(block.items())) for name, block in reversed(read("base").items())}
    assert fingerprint(read("base")) == fingerprint(turned) == fingerprint(read("base"))
    assert len(fingerprint(read("base"))) == 12


def test_fingerprint_changes_with_any_setting():
    raw = read("base")
    changes = [fingerprint(changed(path, "something else")) for path in flat(raw)]
    assert len({fingerprint(raw), *changes}) == len(changes) + 1


def test_fingerprint_of_a_block_does_not_depend_on_how_a_number_is_written():
    written = [Pool(**changed("pool.noise", noise)["pool"]) for noise in (4, 4.0, "4")]
    assert len({fingerprint(block) for block in written}) == 1


def test_fingerprint_tells_blocks_from_each_other():
    first, second = {"seed": 0}, {"seed": 1}
    assert fingerprint(first, second) != fingerprint(second, first)


def test_no_setting_is_without_effect():
    """Every leaf is read somewhere: an attribute of its name is, outside the blocks' own definitions."""
    sources = [path for path in (ROOT / "src" / "pt4al").rglob("*.py") if path.name != "parameters.py"]
    nodes = itertools.chain.from_iterable(ast.walk(ast.parse(path.read_text())) for path in sources)
    read_somewhere = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}
    by_name = {"train", "test"}  # pool.limit: getattr(pool.limit, split)
    by_name |= leaves(Rule) | {"rule", "reference", "low_budget"}  # reporting.comparison takes them as a dictionary
    by_name |= leaves(Stop) | leaves(Price)  # so does reporting.worth
    assert leaves(Parameters) - read_somewhere - by_name == set()


def test_option_of_a_strategy_that_makes_no_sense_is_refused_before_anything_runs():
    raw = changed("query.strategy", "strata")
    raw["query"]["options"] = {"number": -1}
    with pytest.raises(InputError, match=r"`query.options.number` is -1: it must be a whole number"):
        check(raw)


@pytest.mark.parametrize("query", [{"strategy": "badge"}, {"balance": True}, {"measure": "learning_loss"}])
def test_what_needs_one_class_an_image_is_refused_for_segmentation(query):
    raw = changed("main.task", "segmentation")
    raw["query"] |= query
    with pytest.raises(InputError, match=r"`main.task: (segmentation|classification)"):
        check(raw)
