"""Setting `pool.imbalance`: what the pool stage takes from the source that ships."""

from typing import Any

import pytest
import yaml

from pt4al.images.collection import Collection
from pt4al.pipelines.pool.nodes import collect
from pt4al.project.configuration.parameters import Pool
from support.projects import ROOT


def collected(**changes: Any) -> dict[str, Collection]:
    settings = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())["pool"]
    settings["source"]["path"] = str(ROOT / settings["source"]["path"])
    return collect(Pool.model_validate(settings | changes))


def counted(collection: Collection) -> list[int]:
    return collection.index["label"].value_counts().reindex(collection.classes).to_list()


@pytest.mark.parametrize("kind", ["steps", "long_tail"])
def test_pool_is_thinned_out_and_the_test_split_is_not(kind: str) -> None:
    whole, thinned = collected(), collected(imbalance={"kind": kind, "factor": 10})
    counts = counted(thinned["train"])
    assert counts == sorted(counts, reverse=kind == "long_tail")
    assert min(counts) == round(max(counted(whole["train"])) / 10)
    assert counted(thinned["test"]) == counted(whole["test"])


def test_limit_says_how_many_images_a_pool_that_was_thinned_out_has() -> None:
    limited = collected(imbalance={"kind": "steps", "factor": 10}, limit={"train": 1000, "test": None})["train"]
    assert len(limited) == 1000
    counts = counted(limited)
    assert counts[0] < counts[-1] / 4
