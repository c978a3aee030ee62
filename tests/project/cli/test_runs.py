"""What commands know of a project, read without a session."""

import pytest

from pt4al.errors import InputError
from pt4al.project.cli.runs import secrets


@pytest.mark.parametrize("section", ["label_studio", "cvat"])
@pytest.mark.parametrize("written", ["word", "[a]", "5"])
def test_secrets_of_another_shape_are_one_sentence_and_none_are_none(tmp_path, section, written):
    (tmp_path / "conf/base").mkdir(parents=True)
    (tmp_path / "conf/local").mkdir()
    assert secrets(tmp_path) == {}
    (tmp_path / "conf/local/credentials.yml").write_text(f"{section}: null\n")
    assert not secrets(tmp_path).get(section)
    (tmp_path / "conf/local/credentials.yml").write_text(f"{section}: {written}\n")
    with pytest.raises(InputError, match=section + r": \{url: ..., token: ...\}"):
        secrets(tmp_path)
