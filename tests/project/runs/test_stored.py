"""Runs whose files a bucket keeps: another machine finds them, and a server may die in the middle."""

import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import fsspec
import pytest
import yaml

from pt4al.files.storage import Storage
from support.projects import WITHOUT_REPORT, run, tables

pytest.importorskip("s3fs")

PLAIN = "08_reporting/tiny/learning_curve.csv"


def listing(project: Path, address: str) -> dict[str, int]:
    objects = Storage(project / "data", address).listing("")
    return {name: there.size for name, there in objects.items()}


def files(project: Path) -> dict[str, int]:
    """The files of a project's runs that a bucket is to have."""
    data = project / "data"
    names = [path.relative_to(data) for path in data.glob("0[2-8]*/**/*") if path.is_file()]
    visible = [name for name in names if not any(part.startswith(".") for part in name.parts)]
    return {name.as_posix(): (data / name).stat().st_size for name in visible}


def test_a_finished_run_is_found_by_a_machine_with_an_empty_disk(
    copied: Path, project: Path, s3, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"s3://{s3.bucket}/found"
    monkeypatch.chdir(copied)
    run(copied, storage={"address": address})
    assert listing(copied, address) == files(copied)
    baseline = "08_reporting/tiny-random/learning_curve.csv"  # which the report shows beside it
    Storage(copied / "data", address).write(baseline, (copied / "data" / PLAIN).read_bytes())
    monkeypatch.chdir(project)
    run(project, storage={"address": address})
    assert tables(project) == tables(copied)
    assert (project / "data" / baseline).exists()
    assert (project / "data/.storage.json").exists()


@pytest.fixture
def mortal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """A server of one's own, which may be killed."""
    pytest.importorskip("moto.server")
    from support.s3_server import S3Server

    server = S3Server(tmp_path)
    server.start()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    kind = fsspec.get_filesystem_class("s3")
    kind.clear_instance_cache()
    yield server
    kind.clear_instance_cache()
    server.kill()


@pytest.fixture
def unreported(copied: Path) -> Path:
    """A finished run without its report, whose pictures are most of its bytes."""
    shutil.rmtree(copied / "data/08_reporting/tiny")
    return copied


def test_a_server_that_dies_in_the_middle_is_one_sentence_and_the_same_command_goes_on(
    unreported: Path, mortal, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"address": f"s3://{mortal.bucket}/mortal", "patience": 0.5}
    put = Storage.put
    turn = itertools.count()

    def dies(self: Storage, path: Path) -> None:
        if next(turn) == 20:
            mortal.kill()
        put(self, path)

    monkeypatch.setattr(Storage, "put", dies)
    with pytest.raises(click.ClickException) as ended:
        run(unreported, WITHOUT_REPORT, storage=settings)
    assert "has not answered for" in ended.value.message
    assert f"what is finished is kept in {unreported / 'data'}; the same command goes on" in ended.value.message
    mortal.start()
    kept = listing(unreported, settings["address"])
    assert 0 < len(kept) < len(files(unreported))  # of those on their way at once any may have arrived
    run(unreported, WITHOUT_REPORT, storage=settings | {"patience": 60})
    assert listing(unreported, settings["address"]) == files(unreported)


def test_a_server_that_is_away_for_a_moment_ends_no_run(
    unreported: Path, mortal, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"s3://{mortal.bucket}/away"
    put = Storage.put
    turn = itertools.count()

    def is_away(self: Storage, path: Path) -> None:
        if next(turn) == 20:
            mortal.kill()
            mortal.start()
        put(self, path)

    monkeypatch.setattr(Storage, "put", is_away)
    run(unreported, WITHOUT_REPORT, storage={"address": address})
    assert listing(unreported, address) == files(unreported)


def test_a_run_that_another_machine_has_is_refused_in_one_sentence(
    copied: Path, tmp_path: Path, no_training: None
) -> None:
    share = tmp_path / "share"
    (share / ".locks").mkdir(parents=True)
    (share / ".locks/tiny.json").write_text(json.dumps({"host": "elsewhere", "pid": 7, "token": "x"}))
    with pytest.raises(click.ClickException, match=r"'tiny' in file://.* is being run by process 7 of elsewhere"):
        run(copied, storage={"address": f"file://{share}"})
    assert [path.name for path in share.rglob("*") if path.is_file()] == ["tiny.json"]


def test_a_failure_frees_the_lock_and_keeps_what_was_made(
    copied: Path, tmp_path: Path, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    damaged = next((copied / "data/05_model_input/tiny").glob("ranking.parquet/*/ranking.parquet"), None)
    if damaged is None:
        damaged = next((copied / "data/04_feature/tiny").glob("ranking.parquet/*/ranking.parquet"))
    damaged.write_bytes(b"damaged")
    with pytest.raises(click.ClickException, match="ranking"):
        run(copied, storage={"address": f"file://{share}"})
    assert list((share / ".locks").iterdir()) == []
    assert (share / "05_model_input/tiny/configuration.json").exists()


def test_a_bucket_without_rights_is_one_sentence_before_anything_starts(
    copied: Path, s3, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*arguments: object, **options: object) -> None:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(Storage, "_files", type("Denied", (), {"_strip_protocol": str, "find": denied}))
    with pytest.raises(click.ClickException, match=r"s3://mine: the key that was given may not do this"):
        run(copied, storage={"address": "s3://mine"})


def test_keys_come_from_credentials_and_are_written_nowhere(
    unreported: Path, s3, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in s3.environment:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FSSPEC_S3", "{}")  # which the test restores
    keys = {"key": "testing", "secret": "a secret of mine", "endpoint_url": s3.url}
    (unreported / "conf/local").mkdir(exist_ok=True)
    (unreported / "conf/local/credentials.yml").write_text(yaml.safe_dump({"storage": keys}))
    try:
        run(unreported, WITHOUT_REPORT, storage={"address": f"s3://{s3.bucket}/keys"})
    finally:
        fsspec.config.conf.pop("s3", None)
    written = [path for path in (unreported / "data").rglob("*") if path.is_file()]
    assert not [path for path in written if b"a secret of mine" in path.read_bytes()]


def test_a_fresh_start_sets_the_old_run_aside_in_the_bucket_too(
    copied: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    storage = {"address": f"file://{share}"}
    monkeypatch.chdir(copied)
    run(copied, "pool", storage=storage)
    monkeypatch.chdir(project)
    run(project, "pool", storage=storage, run={"fresh": True})
    places = sorted((share / "05_model_input").iterdir())
    assert len(places) == 2, places
    now, before = places
    assert (now / "configuration.json").exists()
    assert not list(now.rglob("cycle_0/**/*.parquet/*/*.parquet"))
    assert before.name.startswith("tiny.20")
    assert list(before.rglob("cycle_0/**/*.parquet/*/*.parquet"))


def test_storage_is_no_part_of_what_a_run_is(unreported: Path, tmp_path: Path, no_training: None) -> None:
    (tmp_path / "share").mkdir()
    record = unreported / "data/05_model_input/tiny/configuration.json"
    before = record.read_bytes()
    run(unreported, WITHOUT_REPORT, storage={"address": f"file://{tmp_path}/share"})
    assert record.read_bytes() == before


def test_files_that_dvc_keeps_are_not_kept_twice(copied: Path, tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="DVC keeps the files of this environment"):
        run(copied, "pool", env="published", storage={"address": f"file://{tmp_path}"})


def test_an_address_holds_no_key(copied: Path) -> None:
    with pytest.raises(click.ClickException, match=r"`storage\.address`"):
        run(copied, storage={"address": "s3://key:secret@bucket"})
