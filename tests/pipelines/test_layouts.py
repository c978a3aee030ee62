"""Each layout of the docs, as a stand-in on disk, goes the whole road in its own environment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.layouts import write_caltech101, write_cityscapes, write_class_folders
from support.layouts_imagenet import write_imagenet_folders, write_imagenet_npz
from support.projects import ROOT, newest, run

BUDGET = 3
SHORT = {"epochs": 1, "minimum_steps": 2, "minibatch": 8}
SMALL = {"network": "resnet8_w16", "schedule": SHORT}
CALTECH101 = ROOT.parent / "shared" / "data" / "caltech101" / "101_ObjectCategories.tar"

# The writer, and what is smaller than in the environment.
LAYOUTS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "caltech101": (lambda folder, rng: write_caltech101(folder, rng, pictures=12), {"size": 32}),
    "imagenet": (write_imagenet_folders, {"size": 32}),
    "imagenet64": (write_imagenet_npz, {}),
}  # and Cityscapes, below


def go(project: Path, env: str, path: Path, pool: dict[str, Any] | None = None, **parameters: Any) -> pd.DataFrame:
    """Run two short cycles of an environment on `path`; return its learning curve."""
    small = {} if env == "cityscapes" else SMALL
    short = {
        "cycles": {"number": 2, "budget": BUDGET},
        "pretext": {"schedule": SHORT, **small},
        "main": {"schedule": SHORT, **small},
    }
    run(project, env=env, pool={"source": {"path": str(path)}, **(pool or {})}, **short | parameters)
    return pd.read_csv(newest(project, "08_reporting", env, "learning_curve.csv"))


@pytest.mark.parametrize("env", LAYOUTS)
def test_a_layout_goes_from_its_files_to_a_report(project: Path, env: str) -> None:
    write, smaller = LAYOUTS[env]
    write(project / "raw", np.random.default_rng(0))
    curve = go(project, env, project / "raw", smaller)
    assert list(curve["labels"]) == [BUDGET, 2 * BUDGET]
    assert newest(project, "08_reporting", env, "report.html").stat().st_size > 10_000


def test_cityscapes_goes_to_a_report_with_panels_and_the_iou_of_each_class(project: Path) -> None:
    write_cityscapes(project / "raw", np.random.default_rng(0), pictures=6)
    curve = go(project, "cityscapes", project / "raw", {"size": [32, 64]})
    assert list(curve["labels"]) == [BUDGET, 2 * BUDGET]
    assert {"miou", "pixel_accuracy", "iou_road", "iou_sky"} <= set(curve.columns)
    assert ((curve["low"] <= curve["miou"]) & (curve["miou"] <= curve["high"])).all()
    pictures = {path.stem for path in newest(project, "08_reporting", "cityscapes", "pictures").iterdir()}
    assert {"panels_0", "panels_1", "iou_by_class"} <= pictures
    page = newest(project, "08_reporting", "cityscapes", "report.html").read_text(encoding="utf-8")
    assert "95 % interval" in page and "of the test images alone: another seed differs too" in page
    assert "Most confused" in page and "Most confidently wrong" not in page
    kept = pd.read_parquet(newest(project, "07_model_output", "cityscapes", "cycle_1", "test_predictions.parquet"))
    assert list(kept) == ["label", "predicted", "pixels"]
    label_set = pd.read_parquet(newest(project, "05_model_input", "cityscapes", "cycle_1", "label_set.parquet"))
    assert all(label.startswith(b"\x89PNG") for label in label_set["label"])


def test_a_class_folder_of_photos_of_mixed_sizes_needs_nothing_but_its_path(project: Path) -> None:
    rng = np.random.default_rng(0)
    write_class_folders(project / "raw", rng, pictures=20, size=(90, 60))
    write_class_folders(project / "raw" / "more", rng, ("cow", "horse"), pictures=10, size=(50, 120))
    curve = go(project, "tiny", project / "raw", {"limit": {"train": None, "test": None}})
    assert list(curve["labels"]) == [BUDGET, 2 * BUDGET]


def test_a_larger_network_of_a_library_trains_with_random_resized_crops(project: Path) -> None:
    write_class_folders(project / "raw", np.random.default_rng(0), pictures=8, size=(70, 64))
    network = {"network": "timm/resnet10t", "augment": {"smallest_crop": 0.3}, "schedule": SHORT}
    limit = {"limit": {"train": None, "test": None}, "size": 64}
    curve = go(project, "tiny", project / "raw", limit, pretext=network, main=network)
    assert list(curve["labels"]) == [BUDGET, 2 * BUDGET]


@pytest.mark.slow
@pytest.mark.skipif(not CALTECH101.exists(), reason="the real Caltech-101 is not here")
def test_real_caltech101_goes_the_road_from_its_tar(project: Path) -> None:
    curve = go(project, "caltech101", CALTECH101, {"size": 32, "limit": {"train": 400, "test": 100}})
    assert list(curve["labels"]) == [BUDGET, 2 * BUDGET]
