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
from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.folder_names import folders
from pt4al.project.configuration.identity import fingerprint, identity
from pt4al.project.configuration.parameters import Parameters, Pool, Price, Rule, Stop
from pt4al.project.configuration.parsing import parse
from pt4al.selection.strategies import REMOVED

ROOT = Path(__file__).parents[3]
ENVIRONMENTS = sorted(path.parent.name for path in (ROOT / "conf").glob("*/parameters.yml"))
MISSING = object()
# Of the environments whose networks start from nothing, whatever the default is.
FROM_NOTHING = [
    "camvid",
    "cityscapes",
    "fashion_mnist",
    "fashion_mnist_small",
    "hour",
    "imbalanced_cifar10",
    "paper",
    "released",
    "tiny",
]


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
    parse(merge(read("base"), read(environment)))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_environment_states_settings_that_base_has(environment):
    assert flat(read(environment)).keys() <= flat(read("base")).keys()


@pytest.mark.parametrize("environment", FROM_NOTHING)
def test_environment_that_does_not_follow_the_default_states_all_of_its_method(environment):
    method = {block: read("base")[block] for block in ("pretext", "ranking", "cycles", "query", "main")}
    wanted = {"pool.source.kind", "pool.source.path", *flat(method)}
    wanted -= {"pretext.weights", "main.weights", "ranking.share"}  # which are for other methods
    assert wanted <= flat(read(environment)).keys()


def test_a_description_is_of_a_class_and_makes_no_other_run():
    classes = merge(read("base"), {"oracle": {"classes": ["cat", "dog"]}})
    described = merge(classes, {"oracle": {"descriptions": {"cat": "no lynxes"}}})
    assert identity(parse(described)) == identity(parse(classes))
    assert "descriptions" not in parse(classes).model_dump()["oracle"]
    assert parse(described).oracle.descriptions == {"cat": "no lynxes"}
    wrong = merge(classes, {"oracle": {"descriptions": {"dgo": "no wolves"}}})
    with pytest.raises(InputError, match="has 'dgo', which is no class: did you mean 'dog'"):
        parse(wrong)


def test_who_computes_is_no_part_of_what_a_run_is():
    elsewhere = {"cluster": "ray://there:10001", "workers": 3, "patience": 60}
    moved = merge(read("base"), {"engine": elsewhere})
    assert identity(parse(moved)) == identity(parse(read("base")))


def test_blocks_stand_in_the_order_of_the_file():
    raw = changed("ranking.share", 0.5)  # which is left out where it is 1
    raw["engine"] |= {"instructions": "avx2", "cluster": "ray", "workers": 2, "patience": 60.0, "ranks": 2}  # and these
    blocks = parse(raw).model_dump()
    assert list(blocks) == list(raw)
    assert list(flat(blocks)) == list(flat(raw))


def test_checked_parameters_pass_the_check_again():
    parameters = parse(read("base"))
    assert parse(parameters.model_dump(mode="json")) == parameters


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("pretext.augment.crop_paddin", 2, "`pretext.augment.crop_paddin` is unknown: did you mean 'crop_padding'?"),
        ("main.schedule.epoch", 3, "`main.schedule.epoch` is unknown: did you mean 'epochs'?"),
        ("runs", {}, "`runs` is unknown: did you mean 'run'?"),
        ("engine.cluster", "slurm", "`engine.cluster` is 'slurm': say local, ray, or ray://host:port"),
        ("engine.workers", 0, "`engine.workers` is 0"),
        ("engine.ranks", 0, "`engine.ranks` is 0"),
        ("engine.ranks", 2, "`engine.ranks` is 2, and several processes train together on a Ray cluster alone: set"),
        ("query.measure", "margn", "`query.measure` is 'margn': did you mean 'margin'?"),
        ("pretext.network", "resnet8_16", "the project has no network 'resnet8_16': did you mean 'resnet8_w16'?"),
        ("ranking.order", "zzz", "`ranking.order` is 'zzz': known: easiest_first, hardest_first"),
        ("main.schedule.shape", "cosine", "`main.schedule.shape` is 'cosine'"),
        ("cycles.budget", "many", "`cycles.budget` is 'many'"),
        ("cycles.number", 2.5, "`cycles.number` is 2.5"),
        ("cycles.budget", [10, 20], "`cycles.budget` lists the labels of 2 cycles, `cycles.number` is 5: write one"),
        ("cycles.budget", "10/20/0/1/1", "`cycles.budget` is '0'"),
        ("run.fresh", "perhaps", "`run.fresh` is 'perhaps'"),
        ("pool.classes", 3.5, "`pool.classes` is 3.5"),
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
        ("query.options", {"number": 3}, "`query.options.number` is none of strategy uncertainty_herding: it has"),
        ("query.measure", "bald", "`query.measure: bald` needs `main.dropout` above 0"),
        ("comparison.rule.claim", "ours", "`comparison.rule.claim` names 'ours': known: dropquery"),
    ],
)
def test_mistake_is_one_message_with_the_dotted_name_and_the_value(path, value, message):
    with pytest.raises(InputError) as raised:
        parse(changed(path, value))
    assert message in str(raised.value)


def test_message_holds_no_names_but_a_persons():
    with pytest.raises(InputError) as raised:
        parse(changed("engine.threads", "many"))
    assert "constrained-int" not in str(raised.value)


def test_all_mistakes_are_told_at_once():
    raw = changed("query.measure", "margn")
    raw["main"]["schedule"]["epochs"] = 0
    with pytest.raises(InputError) as raised:
        parse(raw)
    assert "`query.measure`" in str(raised.value)
    assert "`main.schedule.epochs`" in str(raised.value)


def test_trunk_of_another_network_is_refused_with_both_names():
    raw = changed("main.network", "resnet18")
    raw["main"]["start_from"] = "pretext"
    with pytest.raises(InputError, match=r"`main.network` is resnet18, `pretext.network` is resnet8_w16"):
        parse(raw)
    raw["main"]["start_from"] = "fresh"
    parse(raw)


def test_parameters_cannot_be_changed():
    with pytest.raises(pydantic.ValidationError):
        parse(read("base")).run.seed = 1


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


def test_who_does_the_work_makes_no_other_run():
    raw = read("base")
    raw["engine"] |= {"cluster": "ray", "workers": 2, "patience": 60}
    plain = parse(read("base"))
    assert folders(parse(raw), versioned=True) == folders(plain, versioned=True)
    assert not {"cluster", "workers", "patience"} & plain.model_dump()["engine"].keys()


def test_processes_that_train_together_make_another_pretext_network_and_one_makes_the_old():
    raw = read("base")
    raw["engine"] |= {"cluster": "ray"}
    alone, together = (parse(merge(raw, {"engine": {"ranks": ranks}})) for ranks in (1, 2))
    assert "ranks" not in alone.model_dump()["engine"]
    assert folders(alone, versioned=True) == folders(parse(read("base")), versioned=True)
    assert folders(alone, versioned=True)["pretext"] != folders(together, versioned=True)["pretext"]
    assert folders(alone, versioned=True)["features"] == folders(together, versioned=True)["features"]


def test_losses_averaged_over_epochs_are_refused_where_other_processes_train():
    raw = merge(read("base"), {"engine": {"cluster": "ray", "ranks": 2}, "pretext": {"losses": "mean_over_epochs"}})
    with pytest.raises(InputError, match=r"`pretext.losses: mean_over_epochs` looks at the network after each epoch"):
        parse(raw)


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
        parse(raw)


@pytest.mark.parametrize("name", REMOVED)
def test_a_strategy_that_was_removed_names_what_to_use_instead(name):
    with pytest.raises(InputError) as refused:
        parse(changed("query.strategy", name))
    assert f"`query.strategy` is '{name}': the strategy was removed, use {REMOVED[name]}" in str(refused.value)
    assert str(refused.value).count("\n") == 1


@pytest.mark.parametrize("query", [{"strategy": "badge"}, {"balance": True}, {"measure": "learning_loss"}])
def test_what_needs_one_class_an_image_is_refused_for_segmentation(query):
    raw = changed("main.task", "segmentation")
    raw["query"] |= query
    with pytest.raises(InputError, match=r"`main.task: (segmentation|classification)"):
        parse(raw)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("main.schedule.learning_rate", 1e30),
        ("main.schedule.weight_decay", 5e5),
        ("main.schedule.epochs", 4e10),
        ("main.schedule.minimum_steps", 10**12),
        ("pretext.schedule.minibatch", 10**9),
        ("pretext.augment.crop_padding", 100_000),
        ("pretext.augment.smallest_crop", float("nan")),
        ("pool.noise", 1e30),
        ("pool.size", True),
        ("pool.size", 100_000),
        ("pool.size", [64, True]),
        ("pool.size", "64/0"),
        ("pool.channels", True),
        ("pool.ignore", [True]),
        ("pool.limit.train", 2**40),
        ("pool.imbalance.factor", 1e30),
        ("engine.threads", 100_000),
        ("engine.threads", True),
        ("run.seed", 2**63),
        ("run.seed", True),
        ("run.repeat", 2**70),
        ("cycles.number", 20_000),
        ("cycles.budget", 2**40),
        ("cycles.budget", []),
        ("cycles.budget", [10, 10, 10, 10, True]),
        ("cycles.budget", [10, 10, 10, 10, 2**40]),
        ("oracle.annotators", 10**6),
        ("main.frozen", True),
        ("main.frozen", 10**9),
        ("main.dropout", float("nan")),
        ("report.stop.gain", 1e30),
        ("report.price.hour", float("inf")),
        ("report.price.currency", "x" * 300),
        ("comparison.workers", 10**6),
        ("comparison.seeds", [0, 0]),
        ("comparison.seeds", [0, 2**63]),
        ("comparison.compared", ["random", "random"]),
        ("comparison.rule.least_gain", 1e30),
        ("comparison.low_budget", 10**6),
        ("cold_start.budgets", []),
        ("cold_start.seeds", 10**9),
        ("predict.cycle", 10**9),
        ("predict.cycle", True),
        ("run.name", "x" * 300),
        ("run.name", "a\nb"),
        ("run.name", "a\n"),
        ("pool.source.path", "photos\0"),
        ("pool.source.path", ""),
        ("pool.source.path", "~nobody-of-that-name/x"),
        ("pool.test", "\n"),
        ("pool.classes", []),
        ("pool.classes", ["cat", "do\0g"]),
        ("oracle.classes", ["cat"]),
        ("oracle.classes", ["cat", "cat"]),
        ("oracle.known_labels", " "),
        ("main.weights", "weights.pth"),
        ("report.baselines", ["../x"]),
        ("comparison.rule.against", []),
        ("query.options.x", [1]),
    ],
)
def test_value_that_makes_no_sense_is_refused_by_its_name(path, value):
    with pytest.raises(InputError, match=f"`{path}`"):
        parse(changed(path, value))


def test_every_number_is_finite_and_bounded():
    """Whatever number a setting is, one that is far too large, not finite, or true is refused."""
    numbers = {path for path, value in flat(read("base")).items() if type(value) in (int, float)}
    numbers -= {path for path in numbers if path.startswith("comparison.arms.")}
    assert len(numbers) > 30
    for path, wrong in itertools.product(sorted(numbers), (1e308, float("inf"), float("-inf"), float("nan"), True)):
        with pytest.raises(InputError, match=f"`{path}`"):
            parse(changed(path, wrong))


def test_name_that_yaml_takes_for_a_number_is_told_as_such():
    with pytest.raises(InputError, match=r"`run.name` is 7: it must be text, which YAML takes for a number"):
        parse(changed("run.name", 7))


def test_a_name_or_an_address_that_can_not_be_one_is_told_without_its_pattern():
    with pytest.raises(InputError, match=r"`run\.name` is 'a/b': it must be letters, digits and any of _ \. = -, and"):
        parse(changed("run.name", "a/b"))
    with pytest.raises(InputError, match=r"`storage\.address` is 'bucket': it must be an address such as s3://"):
        parse(changed("storage.address", "bucket"))


def test_a_union_is_one_line_with_both_ways_out():
    with pytest.raises(InputError) as raised:
        parse(changed("engine.threads", "many"))
    assert str(raised.value).count("`engine.threads`") == 1
    assert "'auto', or it must be a valid integer" in str(raised.value)


@pytest.mark.parametrize("typed", [3, 0, -1, 2026, "3", "1.5", "2026", "2026-12-01", "2026-12-01T17:00", "tomorrow"])
def test_time_to_go_on_is_a_time_with_its_zone_and_no_number(typed):
    with pytest.raises(InputError, match=r"`oracle\.go_on\.after` is .* a time with its zone, such as 2026-"):
        parse(changed("oracle.go_on.after", typed))
    parse(changed("oracle.go_on.after", "2026-12-01T17:00+01:00"))


@pytest.mark.parametrize(
    ("path", "typed", "words"),
    [
        ("run.name", "a:b", "it must be letters, digits and any of"),
        ("storage.address", "x", "it must be an address such as s3://bucket/folder"),
        ("storage.cache", 1e30, "less than or equal to"),
        ("pool.limit", 5, r"`pool\.limit\.<name>=<value>` sets one of them"),
        ("pool.size", {}, r"`pool\.size` is \{\}: say auto"),
    ],
)
def test_mistake_is_told_in_words_of_people_and_with_its_place(path, typed, words):
    with pytest.raises(InputError, match=words):
        parse(changed(path, typed))


def test_key_with_a_hyphen_is_an_unknown_key():
    with pytest.raises(InputError, match=r"`query-measure` is unknown"):
        parse(read("base") | {"query-measure": "random"})


def test_value_of_a_thousand_letters_is_not_all_of_the_message():
    with pytest.raises(InputError) as raised:
        parse(changed("query.measure", "x" * 100_000))
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize(
    ("path", "typed", "meant"),
    [
        ("report.baselines", "random", ["random"]),
        ("report.baselines", "random/margin", ["random", "margin"]),
        ("pool.classes", "cat/dog", ["cat", "dog"]),
        ("pool.ignore", 255, [255]),
        ("pool.ignore", "0/255", [0, 255]),
        ("pool.size", "180/240", [180, 240]),
        ("cycles.budget", "10/10/20/40/80", [10, 10, 20, 40, 80]),
        ("cycles.budget", "10", 10),
        ("comparison.compared", "random/herded_random/margin/herded_margin/uncertainty_herding", None),
        ("comparison.seeds", "3/4", [3, 4]),
        ("comparison.others", "cifar10", ["cifar10"]),
        ("comparison.rule.against", "random", ["random"]),
        ("cold_start.starts", "random/coreset", ["random", "coreset"]),
        ("cold_start.budgets", "10/20", [10, 20]),
        ("oracle.classes", "cat/dog", ["cat", "dog"]),
    ],
)
def test_every_list_can_be_typed_on_the_command_line(path, typed, meant):
    block = parse(changed(path, typed))
    for name in path.split("."):
        block = getattr(block, name)
    assert block == (meant or typed.split("/"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"main": {"start_from": "pretrained"}}, "`main.start_from: pretrained` needs a network that others have"),
        ({"pretext": {"start_from": "pretrained"}}, "`pretext.start_from: pretrained` needs a network that others"),
        ({"main": {"weights": "x.safetensors"}}, "`main.start_from: features` doesn't read"),
        ({"query": {"measure": "learning_loss"}, "main": {"frozen": "all"}}, "needs training steps"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_with_both_names(settings, message):
    with pytest.raises(InputError, match=message):
        parse(merge(read("base"), settings))


def test_one_budget_is_that_of_every_cycle_and_is_written_as_it_was():
    one, several = parse(changed("cycles.budget", 200)), parse(changed("cycles.budget", [10, 10, 20, 40, 80]))
    assert one.cycles.budgets == [200] * 5
    assert identity(one)["cycles.budget"] == 200
    assert several.cycles.budgets == identity(several)["cycles.budget"] == [10, 10, 20, 40, 80]


def test_a_share_of_the_whole_pool_is_no_setting_of_a_run():
    assert "ranking.share" not in identity(parse(read("base")))
    assert identity(parse(changed("ranking.share", 0.8)))["ranking.share"] == 0.8


def test_people_are_not_kept_from_part_of_their_pool():
    raw = merge(changed("ranking.share", 0.8), {"oracle": {"kind": "people"}})
    with pytest.raises(InputError, match=r"with `oracle.kind: people` it must be 1"):
        parse(raw)


def test_path_is_kept_as_it_is_written_in_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = {"main.weights": "x.safetensors", "pool.source.path": "photos", "predict.path": "more"}
    for path, place in places.items():
        raw = changed(path, f"{tmp_path}/./{place}/")
        raw["main"] |= {"start_from": "pretrained", "network": "timm/resnet18"} if path == "main.weights" else {}
        assert flat(parse(raw).model_dump())[path] == place


def test_two_blocks_that_do_not_fit_are_two_lines():
    settings = {"main": {"start_from": "pretrained"}, "pretext": {"start_from": "pretrained"}}
    with pytest.raises(InputError) as raised:
        parse(merge(read("base"), settings))
    assert len(str(raised.value).splitlines()) == 3


def test_labels_may_be_asked_for_again_from_any_cycle_on():
    people = changed("oracle.kind", "people")
    again = merge(people, {"oracle": {"relabel": 0.1}})
    assert identity(parse(people)) == identity(parse(again))


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"oracle": {"kind": "recorded"}}, "recorded labels would be the same again"),
        ({"oracle": {"kind": "people", "disagreement": "majority"}}, "set that to latest"),
        (
            {
                "oracle": {"kind": "people"},
                "main": {"task": "segmentation", "start_from": "fresh"},
                "query": {"strategy": "top"},
            },
            "needs one class an image",
        ),
    ],
)
def test_labels_are_asked_for_again_only_where_an_answer_can_change_one(settings, told):
    with pytest.raises(InputError, match=told):
        parse(merge(read("base"), merge(settings, {"oracle": {"relabel": 0.1}})))
