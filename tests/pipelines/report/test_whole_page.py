"""The page of a whole tiny run: what the evaluation kept, and what the page makes of it."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from pt4al.images.viewing import pixels_png
from pt4al.pipelines.report.identity import changed_settings, strategy
from pt4al.project.configuration.parsing import parse
from support.projects import newest, tiny


def kept(project: Path, cycle: int) -> pd.DataFrame:
    return pd.read_parquet(newest(project, "07_model_output", "tiny", f"cycle_{cycle}", "test_predictions.parquet"))


def test_what_the_evaluation_kept_is_what_its_metrics_say(finished: Path) -> None:
    for cycle in range(3):
        predictions = kept(finished, cycle)
        metrics = json.loads((finished / f"data/08_reporting/tiny/cycle_{cycle}/metrics.json").read_text())
        assert list(predictions) == ["id", "label", "predicted", "probability"]
        assert predictions["id"].is_unique and len(predictions) == 200
        right = predictions["label"] == predictions["predicted"]
        assert round(right.mean(), 6) == round(metrics["accuracy"], 6)
        assert predictions["probability"].between(0.1, 1).all()


def test_the_page_names_the_run_and_shows_where_its_last_model_fails(finished: Path) -> None:
    page = (finished / "data/08_reporting/tiny/report.html").read_text(encoding="utf-8")
    assert re.search(r"margin · fashion_mnist \(300 images\) · seed 0 · \d+ \w+ \d{4} · MLflow run \w{8}<", page)
    predictions = kept(finished, 2)
    wrong = predictions[predictions["label"] != predictions["predicted"]]
    surest = wrong.loc[wrong["probability"].idxmax()]
    assert surest["id"] in page
    assert page.count('<figure><img src="data:image/png') == 20
    assert "The pretext ranking chose no image of this run." in page


def test_settings_that_differ_can_be_pasted_into_a_file_of_settings() -> None:
    defaults = {
        "query": {"measure": "margin", "scope": "pool"},
        "engine": {"device": "auto"},
        "pool": {"classes": None},
    }
    own = parse(tiny(query={"measure": "entropy"}))
    pasted = yaml.safe_load(changed_settings(own, defaults))
    assert pasted["query"]["measure"] == "entropy"
    assert "scope" not in pasted["query"]
    assert "device" not in pasted["engine"]
    assert "None" not in changed_settings(own, defaults)
    assert changed_settings(own, tiny(query={"measure": "entropy"})) == ""


def test_a_strategy_is_told_in_a_few_words() -> None:
    assert strategy(parse(tiny())) == "margin"
    assert strategy(parse(tiny(query={"measure": "random"}))) == "random"
    assert strategy(parse(tiny(query={"strategy": "badge", "start": "herding"}))) == "badge after herding"
    in_batches = {"scope": "batch", "measure": "least_confidence", "start": "even_intervals"}
    assert strategy(parse(tiny(query=in_batches))) == (
        "least_confidence within batches of the ranking after even_intervals"
    )


def test_a_picture_of_the_pool_is_shown_small() -> None:
    for shape in ((1, 28, 28), (3, 500, 300)):
        picture = pixels_png(np.zeros(shape, np.uint8))
        width, height = (int.from_bytes(picture[place : place + 4]) for place in (16, 20))
        assert max(width, height) <= 160
        assert (width > height) == (shape[2] > shape[1])
