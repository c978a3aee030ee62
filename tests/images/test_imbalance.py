"""A pool that was thinned out has exactly as many images of each class as was asked for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.images.collection import Collection
from pt4al.images.imbalance import shares, subsample_classes
from pt4al.images.sources.parquet import read

ROOT = Path(__file__).parents[2]
CIFAR = ROOT.parent / "shared" / "data" / "cifar10"


def labelled(*counts: int) -> Collection:
    """A collection with so many pictures of each class, mixed."""
    labels = np.random.default_rng(0).permutation(np.repeat([f"class {n}" for n in range(len(counts))], counts))
    index = pd.DataFrame({"id": [f"picture {row}" for row in range(len(labels))], "label": labels})
    return Collection(index, [f"class {n}" for n in range(len(counts))], lambda rows: iter(rows))


def counted(collection: Collection) -> list[int]:
    return collection.index["label"].value_counts().reindex(collection.classes, fill_value=0).to_list()


def test_steps_of_ten_make_what_the_reproduction_study_had():
    assert counted(subsample_classes(labelled(*[100] * 10), "steps", 10)) == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


def test_long_tail_falls_from_the_first_class_to_a_share_for_the_last():
    assert counted(subsample_classes(labelled(1000, 1000, 1000), "long_tail", 100)) == [1000, 100, 10]


def test_class_that_has_fewer_than_its_share_keeps_all_of_them():
    assert counted(subsample_classes(labelled(100, 5, 100), "long_tail", 4)) == [100, 5, 25]


def test_no_imbalance_keeps_everything():
    whole = labelled(3, 4)
    assert subsample_classes(whole, "none", 10) is whole


def test_factor_of_one_keeps_everything():
    assert counted(subsample_classes(labelled(3, 4), "steps", 1)) == [3, 4]


@given(
    kind=st.sampled_from(["steps", "long_tail"]),
    factor=st.floats(1, 1000),
    counts=st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(any),
)
def test_counts_are_exact_and_order_is_kept(kind, factor, counts):
    whole = labelled(*counts)
    thinned = subsample_classes(whole, kind, factor)
    wanted = np.rint(shares(kind, factor, len(counts)) * max(counts)).astype(int)
    assert counted(thinned) == np.minimum(wanted, counts).tolist()
    rows = pd.Index(whole.index["id"]).get_indexer(thinned.index["id"])
    assert (np.diff(rows) > 0).all()
    assert list(thinned.pictures(np.arange(len(thinned)))) == rows.tolist()


def test_images_that_stay_do_not_depend_on_the_order_of_the_source():
    whole = labelled(20, 20)
    turned = whole.take(np.arange(40)[::-1])
    assert set(subsample_classes(whole, "steps", 4).index["id"]) == set(
        subsample_classes(turned, "steps", 4).index["id"]
    )


def test_images_of_one_class_do_not_depend_on_those_of_another():
    whole = labelled(20, 20)
    fewer = whole.take(np.flatnonzero(whole.index["label"] == "class 1"))
    kept = subsample_classes(whole, "steps", 4).index
    assert set(kept["id"][kept["label"] == "class 1"]) == set(subsample_classes(fewer, "steps", 4).index["id"])


def test_image_without_a_label_is_named():
    whole = labelled(2, 2)
    whole.index.loc[1, "label"] = None
    with pytest.raises(InputError, match=r"kind` steps needs one class an image: 1 of 4 have none.* 'picture 1'"):
        subsample_classes(whole, "steps", 10)


@pytest.mark.skipif(not CIFAR.exists(), reason="CIFAR-10 is not there")
def test_named_setting_makes_the_imbalanced_cifar10_with_its_balanced_test_set():
    import yaml

    settings = yaml.safe_load((ROOT / "conf" / "imbalanced_cifar10" / "parameters.yml").read_text())["pool"]
    whole = read(str(CIFAR)).named(settings["classes"])
    train = whole.take(np.flatnonzero(whole.index["split"] == "train"))
    assert counted(subsample_classes(train, **settings["imbalance"])) == list(range(500, 5001, 500))
