"""Names of classes and images as names of folders and files."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.annotation.formats.file_names import LONGEST, file_stems, folder_names, safe_name
from pt4al.errors import InputError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
ODD = ["a/b", "..", ".", ".hidden", "con", "NUL.txt", "a:b", "what?", "ends.", "ends ", "50%", "a\\b", "new\nline", "~"]


@given(TEXT)
def test_a_safe_name_is_one_part_of_a_path_and_can_be_turned_back(name: str) -> None:
    safe = safe_name(name)
    assert unquote(safe) == name
    assert not set(safe) & set('/\\:*?"<>|\n\0')
    assert safe not in (".", "..")
    assert not safe.startswith((".", " ")) and not safe.endswith((".", " "))


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_is_spelt_out(name: str) -> None:
    assert safe_name(name) != name


@pytest.mark.parametrize("name", ["cat", "T-shirt/top".replace("/", " or "), "Schäfer", "犬", "a_b-c.d"])
def test_a_plain_name_stays(name: str) -> None:
    assert safe_name(name) == name


@given(st.lists(TEXT, unique=True, max_size=8))
def test_classes_have_folders_of_their_own_on_any_file_system(classes: list[str]) -> None:
    folders = folder_names(classes)
    assert {unquote(folder) for folder in folders.values()} == set(classes)
    assert len({folder.casefold() for folder in folders.values()}) == len(classes)


def test_classes_that_differ_in_case_alone_have_two_folders() -> None:
    assert folder_names(["Cat", "cat"]) == {"Cat": "Cat", "cat": "%63%61%74"}


@pytest.mark.parametrize(("name", "told"), [("", "empty name"), ("x" * (LONGEST + 1), "too long")])
def test_a_class_that_can_have_no_folder_is_told(name: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        folder_names(["cat", name])


def test_images_of_one_name_are_told_apart() -> None:
    stems = file_stems(["a/1.jpg", "b/1.jpg", "b/2.JPG", "c/1.png"])
    assert stems["b/2.JPG"] == "2"
    assert len(set(stems.values())) == 4
    assert all(stem.startswith(("1-", "2")) for stem in stems.values())


@given(st.lists(TEXT, unique=True, max_size=12))
def test_every_image_has_a_file_of_its_own(ids: list[str]) -> None:
    stems = file_stems(ids)
    assert list(stems) == ids
    assert len({stem.casefold() for stem in stems.values()}) == len(ids)
    assert all(stem and "/" not in stem and len(stem.encode()) <= LONGEST for stem in stems.values())


def test_a_name_with_a_digest_never_meets_another_image_of_that_name() -> None:
    taken = file_stems(["a/1.jpg", "b/1.jpg"])["a/1.jpg"]
    stems = file_stems(["a/1.jpg", "b/1.jpg", f"{taken}.jpg"])
    assert len(set(stems.values())) == 3
