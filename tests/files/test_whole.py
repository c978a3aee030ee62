"""What a killed process was writing is removed later, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pt4al.files import whole

KILLED = """
import os, signal, sys
from pathlib import Path
from pt4al.files.whole import replacing
for name in ("file", "folder"):
    with replacing(Path(sys.argv[1]) / "cycle_0" / name) as temporary:
        temporary.mkdir() if name == "folder" else temporary.touch()
        if name == "folder":
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """What a process has left that was killed over a folder, after it had written a file."""
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (left,) = tmp_path.glob("*/.folder.*")
    return left


def test_what_a_killed_process_was_writing_is_removed_a_minute_later(left, tmp_path):
    whole.tidy(tmp_path)
    assert left.exists()
    os.utime(left, (0, 0))
    whole.tidy(tmp_path)
    assert [path.name for path in left.parent.iterdir()] == ["file"]


def test_what_a_process_is_writing_stays_and_so_do_other_hidden_files(tmp_path):
    stay = {f".network.{os.getpid()}", ".page.json.lock", ".hidden", "network.1"}
    for name in stay:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    whole.tidy(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == stay
