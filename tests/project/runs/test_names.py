"""Two things never have one name."""

from pathlib import Path

import click
import pytest

from pt4al.errors import InputError
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.names import check_begun, check_comparison, check_run
from support.projects import run


def test_a_comparison_called_as_a_run_is_refused_and_the_runs_pictures_stay(
    finished: Path, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished)
    before = sorted((finished / "data/08_reporting/tiny").rglob("*"))
    with pytest.raises(click.ClickException, match=r"`comparison\.name` is 'tiny', as a run is called"):
        run(finished, "comparison", comparison={"name": "tiny"})
    assert sorted((finished / "data/08_reporting/tiny").rglob("*")) == before


def test_a_run_called_as_a_comparison_is_refused(tmp_path: Path) -> None:
    (tmp_path / "08_reporting/strategies").mkdir(parents=True)
    (tmp_path / "08_reporting/strategies/plan.csv").touch()
    with pytest.raises(InputError, match=r"`run\.name` is 'strategies', as a comparison is called"):
        check_run(tmp_path, "strategies")


@pytest.mark.parametrize("check", [check_run, check_comparison])
@pytest.mark.parametrize("name", ["pool_0123456789ab", "pretext_0123456789ab"])
def test_a_name_of_a_folder_that_runs_share_is_refused(tmp_path: Path, check: object, name: str) -> None:
    with pytest.raises(InputError, match="as folders are called that runs share"):
        check(tmp_path, name)
    check(tmp_path, f"{name}x")


def test_a_run_called_as_predictions_are_does_not_keep_them_waiting(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished)
    held = RunFolder(finished / "data", "tiny.predictions").lock()
    with pytest.raises(click.ClickException, match=r"`predict\.path` is missing"):
        run(finished, "predict")
    held.release()


def test_a_report_on_a_run_that_has_not_begun_names_those_that_have(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'photos' has nothing to report yet: no cycle is finished\. Type `kedro run"):
        check_begun(tmp_path, "photos", "kedro run")
    RunFolder(tmp_path, "photo").begin({})
    with pytest.raises(InputError, match=r"did you mean 'photo'\?\)\. Type"):
        check_begun(tmp_path, "photos", "kedro run")
    check_begun(tmp_path, "photo", "kedro run")
