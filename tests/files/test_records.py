"""What can be found out again is, where it was damaged."""

from pathlib import Path

import pytest

from pt4al.files import records
from pt4al.project.configuration.parameters import Engine
from pt4al.project.runs.engine import resolve_engine


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 3}', b"\0\0"])
def test_a_precision_that_is_forgotten_is_found_again(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pt4al.project.runs.engine.choose_precision", lambda device: "fp32")
    remembered = tmp_path / "precision.json"
    remembered.write_bytes(content)
    assert resolve_engine(Engine(device="cpu", precision="auto", threads=1), remembered).precision == "fp32"
    (known,) = [value for value in records.recall(remembered).values() if value != 3]
    assert known == "fp32"
