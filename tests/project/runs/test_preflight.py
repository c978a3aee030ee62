"""What can be known before training is told before it, in one sentence that names the setting."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.pipelines.pool.nodes import collect
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs import checks, rehearsal
from pt4al.training.networks import build
from support.projects import ROOT, tiny

PRETRAINED = {"network": "timm/resnet18", "start_from": "pretrained"}


def settings(**changes: dict[str, Any]) -> Parameters:
    """The tiny environment's settings with changes."""
    return parse(tiny(**changes))


def ask(**changes: dict[str, Any]) -> None:
    """Check settings as a run does before its first node."""
    parameters = settings(**changes)
    checks.check_files(parameters)
    parts = collect(parameters.pool)
    checks.check_labels(parameters, parts)
    checks.check_budgets(parameters, len(parts["train"]), checks.known_labels(parameters, parts["train"]))
    rehearsal.rehearse(parameters, rehearsal.sample(parameters, parts["train"]), parts["train"].classes)


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


FITTING: dict[str, dict[str, Any]] = {
    "as it ships": {},
    "a strategy that needs gradients": {"query": {"strategy": "badge"}},
    "a strategy of the ranking": {"query": {"strategy": "strata", "scope": "batch"}},
    "bald": {"query": {"measure": "bald"}, "main": {"dropout": 0.5}},
    "learning loss, carried over": {"query": {"measure": "learning_loss"}, "main": {"start_from": "previous_cycle"}},
    "a probe": {"main": {"frozen": "all"}, "query": {"strategy": "coreset", "features": "cached"}},
    "a task that is not trained": {"pretext": {"task": "embedding"}, "query": {"start": "probcover"}},
    "two views": {"pretext": {"task": "simsiam"}},
    "one image a step": {"pretext": {"schedule": {"minibatch": 1}}, "cycles": {"budget": 1}},
}


@pytest.mark.parametrize("changes", FITTING.values(), ids=FITTING)
def test_settings_that_can_be_trained_pass(changes: dict[str, Any]) -> None:
    ask(**changes)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "weights that are not there": (
        {"pretext": PRETRAINED | {"weights": "gone.safetensors"}, "main": {"start_from": "fresh"}},
        "`pretext.weights` is gone.safetensors: there is no such file",
    ),
    "crops larger than images": (
        {"main": {"augment": {"crop_padding": 28}}},
        "`main.augment.crop_padding` 28 would move images of 28 x 28 pixels out of sight: it must be less than 28",
    ),
    "a task that needs colour": ({"pretext": {"task": "colorization"}}, "colorization needs colour"),
    "a network of one size": (
        {"pretext": {"network": "timm/vit_tiny_patch16_224"}, "main": {"start_from": "fresh"}},
        "`pretext.network` timm/vit_tiny_patch16_224 can't be trained for pretext.task rotation",
    ),
    "a last map of one pixel, of one image": (
        {
            "main": {"network": "timm/resnet18", "start_from": "fresh", "schedule": {"minibatch": 1}},
            "pool": {"size": 16},
        },
        "on images of 16 x 16 pixels and 1 channels, 1 at a time: Expected more than 1 value per channel",
    ),
    "no masks": ({"main": {"task": "segmentation"}, "query": {"measure": "entropy"}}, "needs a mask for each image"),
    "nothing held out": (
        {"pool": {"test": 0.0001, "limit": {"train": 6, "test": None}}, "cycles": {"number": 1, "budget": 1}},
        "`pool.test` is 0.0001, which holds out none of the",
    ),
    "a control slice that leaves no budget": (
        {"cycles": {"budget": 1}, "control": {"share": 0.5}},
        "`control.share` 0.5 of `cycles.budget` 1 leaves nothing to choose",
    ),
    "control slices that empty a batch": (
        {"cycles": {"budget": 100}, "control": {"share": 0.1}, "query": {"scope": "batch"}},
        "may be set apart for control slices",
    ),
    "more labels than a share of the images": (
        {"cycles": {"number": 2, "budget": 100}, "ranking": {"share": 0.5}},
        "the pool holds 150 images: lower it, or `cycles.number` (`ranking.share` 0.5 holds 150 of the pool's 300",
    ),
    "more labels than images": ({"cycles": {"number": 1, "budget": 301}}, "301 in 1 cycle asks for 301 labels"),
}


@pytest.mark.parametrize("changes, message", WRONG.values(), ids=WRONG)
def test_what_would_stop_a_run_after_training_is_told_before(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        ask(**changes)
    assert message in str(raised.value)


@pytest.fixture
def weights(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write a file of weights; returns the settings that start from it."""

    def write(name: str = "timm/resnet18", channels: int = 1, keep: int | None = None) -> dict[str, Any]:
        network = build(name, 2, ([0.0] * channels, [1.0] * channels), torch.Generator())
        trunk = network.trunk.model if name.startswith("timm/") else network.trunk
        tensors = dict(list(trunk.state_dict().items())[:keep])
        save_file(tensors, tmp_path / "weights.safetensors")
        return PRETRAINED | {"weights": str(tmp_path / "weights.safetensors")}

    return write


def test_weights_that_fit_pass(weights: Callable[..., dict[str, Any]]) -> None:
    ask(main=weights(), pool={"size": 32})
    ask(main=weights(channels=3), pool={"size": 32})  # timm adds them up


@pytest.mark.parametrize(
    "other", [{"name": "timm/resnet34"}, {"name": "timm/resnet50"}, {"keep": 5}], ids=["deeper", "wider", "half"]
)
def test_weights_of_something_else_are_told_before_training(
    weights: Callable[..., dict[str, Any]], other: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=r"block `main`: .*weights.safetensors does not fit timm/resnet18"):
        ask(main=weights(**other), pool={"size": 32})


def test_a_file_that_holds_no_weights_is_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"not one")
    with pytest.raises(InputError, match=r"`main.weights` is .*x.safetensors, which is no safetensors file"):
        checks.check_files(settings(main=PRETRAINED | {"weights": str(tmp_path / "x.safetensors")}))


def people(path: Path) -> dict[str, Any]:
    return {"kind": "people", "classes": ["a", "b"], "known_labels": str(path)}


def test_labels_that_people_have_are_read_before_training(tmp_path: Path) -> None:
    pool = Collection(pd.DataFrame({"id": ["1", "2"], "label": None}), [], lambda rows: iter(()))
    with pytest.raises(InputError, match=r"`oracle.known_labels` is .*gone.csv: there is no such file"):
        checks.known_labels(settings(oracle=people(tmp_path / "gone.csv")), pool)
    (tmp_path / "known.csv").write_text("id,label\n1,a\n3,b\n")
    with pytest.raises(InputError, match="1 rows can't be used, the first is row 3"):
        checks.known_labels(settings(oracle=people(tmp_path / "known.csv")), pool)
    (tmp_path / "known.csv").write_text("id,label\n1,a\n2,b\n")
    assert checks.known_labels(settings(oracle=people(tmp_path / "known.csv")), pool) == 2


def test_images_that_have_a_label_can_not_be_asked_for() -> None:
    checks.check_budgets(settings(), images=100, known=40)
    with pytest.raises(InputError, match="asks for 60 labels; of the pool's 100 images 41 have one already"):
        checks.check_budgets(settings(), images=100, known=41)


def test_first_queries_that_a_pool_can_not_feed_are_told_before_its_pretext_training() -> None:
    checks.check_cold_start(settings(), images=200)
    with pytest.raises(InputError, match="asks for 200 labels; 199 images may be asked for"):
        checks.check_cold_start(settings(), images=199)
    segmenting = settings(main={"task": "segmentation"}, query={"measure": "entropy"})
    with pytest.raises(InputError, match=r"for `main.task: classification` alone"):
        checks.check_cold_start(segmenting, images=200)


def test_a_rehearsal_draws_nothing_that_a_run_would_draw() -> None:
    parameters = settings(query={"measure": "bald"}, main={"dropout": 0.5})
    pool = rehearsal.sample(parameters, collect(parameters.pool)["train"])
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    rehearsal.rehearse(parameters, pool, ["a", "b"])
    assert torch.equal(torch.rand(3), expected)


def test_cells_that_differ_in_what_is_not_rehearsed_share_a_rehearsal() -> None:
    first, second = settings(run={"seed": 0}), settings(run={"seed": 1}, ranking={"order": "random"})
    assert rehearsal.key(first) == rehearsal.key(second)
    assert rehearsal.key(first) != rehearsal.key(settings(main={"dropout": 0.5}))


def test_what_is_rehearsed_is_as_small_as_the_first_query() -> None:
    """A batch norm can't learn from one image: the rehearsal has to find that out too."""
    assert rehearsal.sample(settings(), collect(settings().pool)["train"]).shape == (1, 28, 28)
    one = settings(cycles={"budget": 2}, control={"share": 0.1})
    assert np.array([rehearsal._fewest(one), rehearsal._fewest(settings())]).tolist() == [1, 2]
