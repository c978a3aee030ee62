"""What commands know of a project, read without a session."""

import pytest

from pt4al.errors import InputError
from pt4al.project.cli.runs import secrets


@pytest.mark.parametrize("written", ["label_studio: word\n", "label_studio: [a]\n", "label_studio: 5\n"])
def test_secrets_of_another_shape_are_one_sentence_and_none_are_none(tmp_path, written):
    (tmp_path / "conf/base").mkdir(parents=True)
    (tmp_path / "conf/local").mkdir()
    assert secrets(tmp_path) == {}
    (tmp_path / "conf/local/credentials.yml").write_text("label_studio: null\n")
    assert not secrets(tmp_path).get("label_studio")
    (tmp_path / "conf/local/credentials.yml").write_text(written)
    with pytest.raises(InputError, match=r"write label_studio: \{url: ..., token: ...\}"):
        secrets(tmp_path)
