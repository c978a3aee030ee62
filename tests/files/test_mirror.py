"""Two machines and a bucket have the same files in the end, and nothing is overwritten that differs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pt4al.errors import InputError
from pt4al.files import digests
from pt4al.files.mirror import Mirror
from pt4al.files.storage import Storage

FOLDERS = ["02_intermediate/pool", "05_model_input/mine", "08_reporting/mine"]
EARLY = "2026-11-27T10.00.00.000Z"
LATE = "2026-11-27T11.00.00.000Z"


def mirror(storage: Storage) -> Mirror:
    return Mirror(storage, FOLDERS, "05_model_input/")


def write(storage: Storage, name: str, text: str = "text") -> Path:
    path = storage.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def version(storage: Storage, dataset: str, time: str = EARLY, text: str = "text") -> Path:
    """Write a version of a dataset of one file, with its digest."""
    path = write(storage, f"{dataset}/{time}/{Path(dataset).name}", text)
    digests.note(path, path)
    return path


def pool(storage: Storage) -> Path:
    """Write a pool of two shards."""
    folder = storage.root / f"02_intermediate/pool/pool/{EARLY}/pool"
    for name in ("a.npy", "b.npy", "a.parquet", "pool.json"):
        write(storage, str((folder / name).relative_to(storage.root)), name)
    digests.note(folder, folder)
    return folder


def visible(storage: Storage) -> dict[str, bytes]:
    files = {storage.name(path): path.read_bytes() for path in storage.root.rglob("*") if path.is_file()}
    return {name: content for name, content in files.items() if "/." not in f"/{name}"}


def test_what_one_machine_has_another_gets(machines):
    here, there = machines
    version(here, "05_model_input/mine/ranking.parquet")
    write(here, "05_model_input/mine/configuration.json", "{}")
    assert mirror(here).push() == 3
    assert mirror(there).pull() == 3
    assert visible(there) == visible(here)


def test_what_both_have_is_not_moved_again(machines):
    here, there = machines
    version(here, "05_model_input/mine/ranking.parquet")
    write(here, "05_model_input/mine/configuration.json", "{}")
    mirror(here).push()
    mirror(there).pull()
    for storage in machines:
        again = mirror(storage)
        assert again.pull() == 0
        assert again.push() == 0


def test_shards_are_left_until_somebody_reads_them(machines):
    here, there = machines
    pool(here)
    mirror(here).push()
    other = mirror(there)
    other.pull()
    folder = there.root / f"02_intermediate/pool/pool/{EARLY}/pool"
    assert sorted(path.name for path in folder.iterdir()) == ["a.parquet", "pool.json"]
    assert other.push() == 0


def test_a_version_whose_digest_has_not_arrived_is_not_brought(machines):
    """As of a machine that was killed while it wrote to the bucket."""
    here, there = machines
    folder = pool(here)
    for name in ("a.npy", "pool.json"):
        here.put(folder / name)
    assert mirror(there).pull() == 0
    assert not (there.root / "02_intermediate").exists()
    again = mirror(here)
    again.pull()
    assert again.push() == 3  # what it lacks: a shard, its table, the digest
    assert mirror(there).pull() == 3


def test_a_version_that_does_not_arrive_whole_is_not_there_at_all(machines, monkeypatch):
    here, there = machines
    pool(here)
    mirror(here).push()
    get = Storage.get

    def breaks(self: Storage, name: str, path: Path) -> None:
        if name.endswith("pool.json"):
            raise ConnectionError("away")
        get(self, name, path)

    monkeypatch.setattr(Storage, "get", breaks)
    with pytest.raises(ConnectionError):
        mirror(there).pull()
    assert visible(there) == {}


def test_a_copy_that_was_damaged_in_the_bucket_is_named_and_not_taken(machines):
    here, there = machines
    path = version(here, "05_model_input/mine/ranking.parquet")
    mirror(here).push()
    here.write(here.name(path), b"other")
    with pytest.raises(InputError, match=f"ranking.parquet/{EARLY}: remove that"):
        mirror(there).pull()
    assert visible(there) == {}


def test_a_file_that_changes_goes_to_where_it_is_older(machines):
    here, there = machines
    path = write(here, "08_reporting/mine/report.html", "first")
    mirror(here).push()
    mirror(there).pull()
    path.write_text("second, longer")
    changed = mirror(here)
    assert changed.pull() == 0
    assert changed.push() == 1
    assert mirror(there).pull() == 1
    assert (there.root / "08_reporting/mine/report.html").read_text() == "second, longer"


def test_a_file_here_that_was_not_written_to_the_bucket_is_never_replaced(machines):
    here, there = machines
    path = write(here, "08_reporting/mine/report.html", "first")
    mirror(here).push()
    mirror(there).pull()
    write(there, "08_reporting/mine/report.html", "of there")
    mirror(there).push()
    path.write_text("of here")
    assert mirror(here).pull() == 0
    assert path.read_text() == "of here"


def test_an_answer_log_that_has_grown_is_taken(machines):
    here, there = machines
    log = write(here, "05_model_input/mine/answers/answers.jsonl", "one\n")
    mirror(here).push()
    mirror(there).pull()
    log.write_text("one\ntwo\n")
    mirror(here).push()
    (there.root / ".storage/05_model_input/mine.json").unlink()  # nothing is known of before
    assert mirror(there).pull() == 1
    assert (there.root / "05_model_input/mine/answers/answers.jsonl").read_text() == "one\ntwo\n"


def differ_in_answers(storage: Storage, who: str) -> None:
    write(storage, "05_model_input/mine/answers/answers.jsonl", f"{who}\n")


def differ_in_settings(storage: Storage, who: str) -> None:
    write(storage, "05_model_input/mine/configuration.json", f"{who}\n")


def differ_in_label_sets(storage: Storage, who: str) -> None:
    time = EARLY if who == "here" else LATE
    version(storage, "05_model_input/mine/cycle_0/versions/label_set.parquet", time, who)


@pytest.mark.parametrize("differ", [differ_in_answers, differ_in_settings, differ_in_label_sets])
def test_a_run_that_went_on_in_two_places_is_refused(machines, differ: Callable[[Storage, str], None]):
    here, there = machines
    differ(here, "here")
    mirror(here).push()
    differ(there, "there")
    before = visible(there)
    with pytest.raises(InputError, match="run 'mine' has gone on in two places"):
        mirror(there).pull()
    assert visible(there) == before


def test_equal_label_sets_of_two_machines_are_no_conflict(machines):
    """As where one made again what another could not write to the bucket."""
    here, there = machines
    version(here, "05_model_input/mine/cycle_0/versions/label_set.parquet", EARLY)
    mirror(here).push()
    version(there, "05_model_input/mine/cycle_0/versions/label_set.parquet", LATE)
    assert mirror(there).pull() == 2


def test_locks_what_is_being_written_and_links_to_a_page_stay_here(machines):
    here, _ = machines
    write(here, "05_model_input/mine/answers/.answers.lock")
    write(here, "02_intermediate/pool/.pool.partial/a.npy")
    write(here, "05_model_input/mine/page.json")
    assert mirror(here).push() == 0


def test_a_row_of_mlflow_is_brought_once(machines):
    here, there = machines
    write(here, "05_model_input/mine/mlflow_run.json", "row of here")
    mirror(here).push()
    assert mirror(there).pull() == 1
    path = write(there, "05_model_input/mine/mlflow_run.json", "another row")
    mirror(there).push()
    assert mirror(here).pull() == 0
    assert (here.root / "05_model_input/mine/mlflow_run.json").read_text() == "row of here"
    assert path.read_text() == "another row"


def test_a_dataset_is_written_with_its_versions_and_its_plain_copy(machines):
    here, _ = machines
    write(here, "05_model_input/mine/label_set.parquet")
    version(here, "05_model_input/mine/versions/label_set.parquet")
    write(here, "05_model_input/mine/configuration.json")
    assert mirror(here).push(here.root / "05_model_input/mine/label_set.parquet") == 3
    assert "05_model_input/mine/configuration.json" not in here.listing("05_model_input")


def test_a_fresh_start_finds_nothing_and_the_old_run_is_kept_under_another_name(machines):
    here, there = machines
    version(here, "05_model_input/mine/ranking.parquet")
    mirror(here).push()
    mirror(here).set_aside("mine", "mine.20261127T100000")
    assert mirror(there).pull() == 0
    kept = list(here.listing("05_model_input"))
    assert len(kept) == 2
    assert all(name.startswith("05_model_input/mine.20261127T100000/") for name in kept)
