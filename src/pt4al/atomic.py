"""Write a file or folder so that it appears whole under its name, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what was written there takes the name `path` at the end.

    A process that is killed leaves `path` as it was. A folder replaces a folder, a file a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    yield temporary
    if path.is_dir():
        shutil.rmtree(path)
    temporary.replace(path)
