"""What commands write down of a run: damaged, it is named with its own way out, and never taken for something else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pt4al.files import records
from pt4al.files.digests import Damaged
from pt4al.project.configuration.parameters import Engine
from pt4al.project.runs import guard, standing
from pt4al.project.runs.engine import resolve_engine

READ: dict[str, tuple[Callable, object, Callable, str]] = {  # file, content, what reads it, the way out
    "configuration": (
        guard.configuration_file,
        {"run.seed": 0},
        guard.configuration,
        "put a copy of it back, or remove",
    ),
    "policies": (
        standing.policies_file,
        {"command": "kedro run"},
        standing.command,
        "type the command of run 'a' again",
    ),
    "added classes": (
        lambda root, run: guard.record_folder(root, run) / "added_classes.json",
        ["cat"],
        standing.added_classes,
        "write it again, a list of the names",
    ),
}


@pytest.mark.parametrize("file, content, read, way_out", READ.values(), ids=READ)
def test_a_damaged_record_is_named_with_its_own_way_out(
    tmp_path: Path, file: Callable, content: object, read: Callable, way_out: str
) -> None:
    path = file(tmp_path, "a")
    records.write(path, content)
    read(tmp_path, "a")
    changed = bytearray(path.read_bytes())
    changed[6] ^= 1
    for damage in (bytes(changed), b"", b"3", changed[:5], b"\0\0\0\0"):
        path.write_bytes(damage)
        with pytest.raises(Damaged, match=way_out) as told:
            read(tmp_path, "a")
        assert str(path) in str(told.value)


def test_a_way_out_that_says_to_write_a_list_again_works(tmp_path: Path) -> None:
    standing.add_class(tmp_path, "a", "cat")
    path = guard.record_folder(tmp_path, "a") / "added_classes.json"
    path.write_text('["dog"]')
    path.with_name("added_classes.json.sha256").unlink()
    assert standing.added_classes(tmp_path, "a") == ["dog"]


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
