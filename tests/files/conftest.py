"""Buckets of three kinds, each beside an empty folder that is its cache."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pt4al.files.storage import Storage


@pytest.fixture(params=["memory", "file", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty place."""
    name = uuid.uuid4().hex
    if request.param == "s3":
        bucket = request.getfixturevalue("s3").bucket
        yield f"s3://{bucket}/{name}"
    elif request.param == "file":
        (tmp_path / "share").mkdir()
        yield f"file://{tmp_path}/share"
    else:
        yield f"memory://{name}"


@pytest.fixture
def machines(tmp_path: Path, address: str) -> list[Storage]:
    """The same bucket as two machines see it, each with a folder of its own."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return [Storage(tmp_path / name, address, patience=2) for name in ("a", "b")]


@pytest.fixture
def guarded_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server that knows no keys, once its bucket is there."""
    kind = pytest.importorskip("s3fs").S3FileSystem
    pytest.importorskip("moto.server")
    from support.s3_server import S3Server

    server = S3Server(tmp_path, allowed=1)
    server.start()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    kind.clear_instance_cache()
    yield server
    kind.clear_instance_cache()
    server.kill()
