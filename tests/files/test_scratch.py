"""Temporary folders go with their process, however it ends."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pt4al.files.scratch import Scratch, scratch

KILLED = """
import os, signal, tempfile
from pt4al.files.scratch import scratch
with scratch() as folder:
    (folder / "large").write_text("left")
    tempfile.mkdtemp()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_what_a_killed_process_has_left_the_next_one_removes(temporary):
    for _ in range(2):
        subprocess.run([sys.executable, "-c", KILLED], check=False)
    (left,) = temporary.iterdir()
    assert len(list(left.iterdir())) == 3
    with scratch() as folder:
        assert list(temporary.iterdir()) == [folder]
    assert not list(temporary.iterdir())


def test_what_another_process_uses_stays(temporary):
    used = Scratch.begin()
    with scratch():
        assert used.folder.is_dir()
    used.end()
    assert not list(temporary.iterdir())


def test_libraries_leave_their_files_in_the_folder_as_long_as_it_is_there(temporary):
    with scratch() as folder:
        assert Path(tempfile.mkdtemp()).parent == folder
    assert tempfile.gettempdir() == str(temporary)


def test_what_cannot_be_removed_yet_keeps_its_lock(temporary, monkeypatch):
    used = Scratch.begin()
    (used.folder / "session").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", lambda path, **options: None)
        used.end()
    with scratch() as folder:
        assert list(temporary.iterdir()) == [folder]
