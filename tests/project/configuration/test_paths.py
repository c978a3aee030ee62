"""A path in a setting is one thing, however it is spelled and wherever one stands."""

import os
from pathlib import Path

import pytest

from pt4al.project.configuration.paths import plain


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with data in it, and a home beside it."""
    folder = tmp_path / "project"
    (folder / "data" / "photos").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder


def test_spellings_of_one_place_in_the_project_are_one(project: Path) -> None:
    spellings = ["data/photos", "data/photos/", "./data/photos", "data//photos", "data/x/../photos"]
    spellings += [str(project / "data" / "photos"), f"{project}/data/photos/"]
    assert {plain(spelling) for spelling in spellings} == {"data/photos"}


def test_a_path_outside_stays_where_it_is(project: Path) -> None:
    assert plain("/elsewhere/photos/") == "/elsewhere/photos"
    assert plain("../photos") == "../photos"


def test_the_home_folder_is_named_by_a_tilde(project: Path, tmp_path: Path) -> None:
    assert plain("~/photos") == plain(str(tmp_path / "home" / "photos")) == str(tmp_path / "home" / "photos")
    with pytest.raises(ValueError, match="home"):
        plain("~nobody-of-that-name/photos")


def test_a_project_reached_by_a_link_is_the_same_project(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    assert plain(str(tmp_path / "link" / "data")) == "data"


def test_data_behind_a_link_in_the_project_belong_to_it(project: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (project / "data" / "linked").symlink_to(tmp_path / "disk")
    assert plain(str(project / "data" / "linked")) == "data/linked"


def test_what_was_made_plain_stays_as_it_is(project: Path) -> None:
    for path in ("data/photos/", "~/x", "/a/../b", "..", ".", "/"):
        assert plain(plain(path)) == plain(path)


def test_a_name_longer_than_a_file_system_takes_is_kept(project: Path) -> None:
    assert plain(f"{os.sep}{'x' * 5000}") == f"{os.sep}{'x' * 5000}"
