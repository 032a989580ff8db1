"""The file of a sweep gives back what was put into it, in any order, to anybody."""

from __future__ import annotations

import math
import random
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import SpecError, SweepError
from engine.session import Session, pack
from engine.specs import AxisSpec, ExperimentSpec, SweepSpec
from engine.sweep.axes import parse_axis
from engine.sweep.columns import COLUMNS
from engine.sweep.file import SUFFIX
from engine.sweep.store import STATUSES, PointRow, SweepStore
from engine.sweep.work import Outcome

AXES = (("model.width", "32, 8, 16"), ("model.activation", "tanh, relu"), ("attack.eps", "0 .. 1 : 10"))


def spec_of(*axes: tuple[str, str], **given: Any) -> ExperimentSpec:
    return ExperimentSpec(title="a sweep", sweep=SweepSpec(axes=tuple(parse_axis(*axis) for axis in axes), **given))


def store_of(folder: Path, spec: ExperimentSpec | None = None) -> SweepStore:
    return SweepStore.create(folder / f"a{SUFFIX}", spec or spec_of(*AXES))


def filled(folder: Path, spec: ExperimentSpec | None = None) -> SweepStore:
    """Points of every status, finished ones with ties and with holes."""
    store, rng = store_of(folder, spec), random.Random(0)
    for index in range(len(store.points)):
        match rng.randrange(6):
            case 0:
                store.cancel([index])
            case 1:
                store.finish(Outcome(index, error="It failed.", seconds=1.0))
            case 2:
                store.start(index)
            case 3 | 4:
                row: dict[str, Any] = {"parameters": rng.randrange(5), "test_accuracy": rng.random()}
                row["rank"] = rng.choice([None, math.nan, 1.5, 2.5])
                store.start(index)
                store.finish(Outcome(index, row, seconds=rng.random()))
    return store


def test_a_new_sweep_waits(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        assert store.counts() == {"waiting": 60, "running": 0, "finished": 0, "failed": 0, "cancelled": 0}
        assert store.row(7) == PointRow(7, store.points.values(7), "waiting", {}, "", None, None, 0)
        assert [column.name for column in store.columns()] == [axis for axis, _ in AXES]
        assert store.column("test_accuracy")["test_accuracy"].shape == (0,)
        assert store.spec == spec_of(*AXES)


def test_what_was_put_in_is_there_after_opening_it_again(tmp_path: Path) -> None:
    weights = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.float64(2.5)}
    row = {"parameters": 2**40, "test_accuracy": 0.1, "rank": math.inf, "ln_gamma": np.float64(0.3), "change": None}
    with store_of(tmp_path) as store:
        assert store.start(3)
        assert store.finish(Outcome(3, row, pack(weights), seconds=1.5))
        assert store.finish(Outcome(4, error="No.", is_bug=True, traceback="Traceback …", seconds=0.5))
    with SweepStore.open(tmp_path / "a.sweep") as store:
        found = store.row(3)
        assert found.row == {"parameters": 2**40, "test_accuracy": 0.1, "rank": math.inf, "ln_gamma": 0.3}
        assert (found.status, found.seconds, found.attempts, found.error) == ("finished", 1.5, 1, "")
        assert found.started is not None
        failed = store.row(4)
        assert (failed.status, failed.error, failed.traceback, failed.row) == ("failed", "No.", "Traceback …", {})
        kept = store.weights(3)
        assert kept is not None and kept.keys() == weights.keys()
        assert all(np.array_equal(kept[name], weights[name]) for name in weights)
        assert store.weights(4) is None and store.weights(59) is None
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.sweep"]


@pytest.mark.parametrize("status", [None, *STATUSES])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    "order",
    [None, "id", "model.width", "model.activation", "attack.eps", "test_accuracy", "parameters", "rank", "width"],
)
def test_pages_are_what_sorting_all_points_gives(
    tmp_path_factory: Any, order: str | None, descending: bool, status: Any
) -> None:
    store = _shared(tmp_path_factory)
    rows = [store.row(index) for index in range(len(store.points))]
    chosen = [row for row in rows if status in (None, row.status)]
    # what waits has no column to be ordered by, but for the axes of a whole grid
    key = order if status != "waiting" or order == "id" else None
    expected = _sorted(chosen, key, descending)
    found = [store.page(offset, 7, order, descending, status) for offset in range(0, len(rows), 7)]
    assert [row for page in found for row in page] == expected
    assert store.page(5, 10, order, descending, status) == expected[5:15]


_stores: list[SweepStore] = []


def _shared(factory: Any) -> SweepStore:
    if not _stores:
        _stores.append(filled(factory.mktemp("sweep")))
    return _stores[0]


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Any:
    yield
    for store in _stores:
        store.close()
    _stores.clear()


def _sorted(rows: list[PointRow], order: str | None, descending: bool) -> list[PointRow]:
    if order is None or order == "id":
        return rows[::-1] if descending and order else rows

    def value(row: PointRow) -> Any:
        return {**row.values, **row.row}.get(str(order))

    known = [row for row in rows if value(row) is not None]
    return sorted(known, key=value, reverse=descending) + [row for row in rows if value(row) is None]


def test_a_random_sample_is_ordered_by_an_axis_as_far_as_it_has_got(tmp_path: Path) -> None:
    with store_of(tmp_path, spec_of(("attack.eps", "0 .. 1"), mode="random", points=30)) as store:
        for index in (3, 20, 11):
            store.finish(Outcome(index, {"rank": 1.0}))
        known = sorted((3, 20, 11), key=lambda index: store.points.values(index)["attack.eps"])
        rest = [index for index in range(30) if index not in known]
        assert [row.id for row in store.page(0, 99, "attack.eps")] == known + rest
        assert [row.id for row in store.page(2, 4, "attack.eps")] == (known + rest)[2:6]


def test_no_such_column_is_an_error_and_one_that_no_row_has_is_not(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        assert len(store.page(0, 100, order="test_accuracy")) == 60
        with pytest.raises(KeyError):
            store.page(0, 100, order='x"; DROP TABLE points; --')
        with pytest.raises(IndexError):
            store.row(60)


def test_columns_hold_the_finished_points(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        found = store.column("test_accuracy", "rank", "model.width", "model.activation", "width", "id")
        rows = [row for row in (store.row(index) for index in range(60)) if row.status == "finished"]
        assert found["id"].tolist() == [row.id for row in rows] and found["id"].dtype == np.int64
        assert found["test_accuracy"].tolist() == [row.row["test_accuracy"] for row in rows]
        expected = [math.nan if (value := row.row.get("rank")) is None else float(value) for row in rows]
        np.testing.assert_array_equal(found["rank"], expected)
        assert found["model.width"].tolist() == [row.values["model.width"] for row in rows]
        assert found["model.activation"].tolist() == [row.values["model.activation"] for row in rows]
        assert found["model.activation"].dtype == object and found["rank"].dtype == np.float64
        assert np.isnan(found["width"]).all() and len(found["width"]) == len(rows)


def test_columns_are_the_axes_and_those_that_some_row_has_in_their_order(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        assert [column.name for column in store.columns()] == [
            *(axis for axis, _ in AXES),
            "parameters",
            "test_accuracy",
            "rank",
        ]
        assert {column.kind for column in store.columns()[:3]} == {"axis"}
        assert len({column.name for column in COLUMNS}) == len(COLUMNS)


def test_a_file_that_is_deleted_while_it_is_open_can_be_copied_whole_and_is_not_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "a b%20#"
    with store_of(folder) as store:
        store.finish(Outcome(0, {"rank": 1.5}))
        assert store.counts()["finished"] == 1
        for each in folder.iterdir():
            each.unlink()
        store.copy_to(tmp_path / f"saved{SUFFIX}")
        with store._database.read(), pytest.raises(SweepError), store._database.read():
            pass  # a second reader would need the file
        assert not store.path.exists()
    with SweepStore.open(tmp_path / f"saved{SUFFIX}") as saved:
        assert saved.row(0).row == {"rank": 1.5}


def test_a_measured_column_is_told_from_an_axis_of_the_same_label(tmp_path: Path) -> None:
    with store_of(tmp_path, spec_of(("model.width", "8, 16"))) as store:
        store.finish(Outcome(0, {"width": 8, "depth": 2}))
        assert [column.label for column in store.columns()] == ["Width", "Width, measured", "Depth"]
        assert store.repeated() == {"width"}
        store.finish(Outcome(1, {"width": 24, "depth": 2}))
        assert store.repeated() == frozenset(), "not every model is as wide as its field says"


def test_cancelled_points_can_be_retried_and_finished_ones_cannot_be_cancelled(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        store.finish(Outcome(0, {"rank": 1.0}))
        store.finish(Outcome(1, error="No."))
        store.start(2)
        assert store.cancel([0, 1, 2, 3]) == 2
        assert [store.row(index).status for index in range(4)] == ["finished", "failed", "cancelled", "cancelled"]
        assert not store.finish(Outcome(2, {"rank": 9.0}))  # it came too late
        assert not store.start(3)
        assert store.retry([0, 2, 3]) == 2
        assert store.retry() == 1
        assert [store.row(index).status for index in range(4)] == ["finished", "waiting", "waiting", "waiting"]
        assert store.row(1).error == ""
        assert store.start(3) and store.row(2).attempts == 1
        assert store.waiting(0, 3) == [1, 2, 4]
        with pytest.raises(IndexError):
            store.cancel([60])


def test_points_that_ran_when_their_program_died_wait_again(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        store.start(0), store.start(1), store.finish(Outcome(1, {"rank": 1.0}))
        assert store.interrupted() == 1
        assert store.counts()["waiting"] == 59
        assert store.start(0) and store.row(0).attempts == 2


def test_the_revision_rises_with_every_change_also_for_others(tmp_path: Path) -> None:
    with store_of(tmp_path) as store, SweepStore.open(store.path) as reader:
        seen = [reader.revision]
        for change in (
            lambda: store.start(0),
            lambda: store.finish(Outcome(0, {"rank": 1.0})),
            lambda: store.cancel([1]),
            lambda: store.retry([1]),
        ):
            change()
            seen.append(reader.revision)
        assert seen == sorted(set(seen))
        assert reader.page(0, 3) == store.page(0, 3)


def test_a_second_program_reads_and_may_not_write_what_another_runs(tmp_path: Path) -> None:
    with store_of(tmp_path) as store, SweepStore.open(store.path) as other:
        with store.claimed(to_run=True):
            store.start(0)
            assert other.row(0).status == "running"
            for write in (lambda: other.cancel([0]), lambda: other.start(1), lambda: other.interrupted()):
                with pytest.raises(SweepError, match="Another program runs the sweep"):
                    write()
            with pytest.raises(SweepError, match="runs already"), store.claimed(to_run=True):
                pass
            assert store.cancel([0]) == 1
        assert other.retry([0]) == 1


def test_opening_it_again_here_leaves_its_journal_to_it_when_another_program_has_looked_in(tmp_path: Path) -> None:
    """Closing any descriptor of a file takes all locks on it from the program: SQLite's too."""
    look = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM points').fetchall(); c.close()"
    )
    with store_of(tmp_path) as store:
        store.finish(Outcome(0, {"rank": 1.0}))
        SweepStore.open(store.path).close()
        subprocess.run([sys.executable, "-c", look, str(store.path)], check=True)
        assert store.finish(Outcome(1, {"rank": 2.0}))
        assert store.counts()["finished"] == 2
    with SweepStore.open(tmp_path / "a.sweep") as store:
        assert store.column("rank")["rank"].tolist() == [1.0, 2.0]


def test_a_copy_is_whole_while_others_write(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        (tmp_path / "b.sweep").write_text("old")
        store.copy_to(tmp_path / "b.sweep")
        with SweepStore.open(tmp_path / "b.sweep") as other:
            assert other.page(0, 100) == store.page(0, 100)
        with pytest.raises(SweepError, match="this sweep itself"):
            store.copy_to(store.path)
        with pytest.raises(SweepError, match="the folder is gone"):
            store.copy_to(tmp_path / "no" / "b.sweep")
        assert not list(tmp_path.glob("*.saving*")) and not list(tmp_path.glob(".*.saving*"))


def test_many_threads_read_and_write_at_once(tmp_path: Path) -> None:
    with store_of(tmp_path, spec_of(("seed", "0 .. 199 : 200"))) as store:
        errors: list[BaseException] = []

        def write(start: int) -> None:
            try:
                for index in range(start, 200, 4):
                    store.start(index)
                    store.finish(Outcome(index, {"rank": float(index), f"extra{start}": 1}))
            except BaseException as error:
                errors.append(error)

        def read() -> None:
            try:
                while store.counts()["finished"] < 200:
                    for row in store.page(0, 50, "rank", True):
                        assert row.status != "finished" or row.row["rank"] == row.id
                    store.column("rank", "extra1")
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)] + [threading.Thread(target=read)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(240)
        assert not errors
        assert store.counts()["finished"] == 200
        assert store.column("rank")["rank"].tolist() == list(range(200))


def test_a_full_disk_is_told_and_what_is_finished_stays(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        store.finish(Outcome(0, {"rank": 1.0}))
        _limit(store)
        with pytest.raises(SweepError, match=r"the disk is full\. Free some space.*What is finished stays"):
            store.finish(Outcome(1, {"rank": 2.0}, b"x" * 10**6))
        assert store.counts()["finished"] == 1 and store.row(1).status == "waiting"
        _limit(store, 2**30)
        assert store.finish(Outcome(1, {"rank": 2.0}, b"x" * 10**6))
    with SweepStore.open(tmp_path / "a.sweep") as store:
        assert store.counts()["finished"] == 2


def _limit(store: SweepStore, pages: int = 1) -> None:
    with store._database.setup() as connection:
        connection.execute(f"PRAGMA max_page_count = {pages}")


def test_files_that_are_no_sweeps_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="There is no file"):
        SweepStore.open(tmp_path / "none.sweep")
    with pytest.raises(SweepError, match="is a folder"):
        SweepStore.open(tmp_path)
    with closing(sqlite3.connect(tmp_path / "other.sweep")) as connection:
        connection.execute("CREATE TABLE t (x)")
    with Session.create(tmp_path / "copies", ExperimentSpec()) as session:
        session.save(tmp_path / "session.sweep")
    text = "# Größen: an experiment\n[sweep]\n" * 9
    for name, content, said in (
        ("empty.sweep", b"", r"is empty: .* Restore it from a backup"),
        ("text.sweep", text.encode(), r"is a text, not a sweep\..*\.toml"),
        ("short.sweep", b"SQLite format 3\0\x10", r"is cut off: it has only 17 bytes"),
        ("picture.sweep", b"\x89PNG\r\n\x1a\n" + bytes(200), "it begins otherwise. If it was one, it is damaged"),
        ("other.sweep", None, "is a database of another program"),
        ("session.sweep", None, r"is a session of Rapidity Lab, not a sweep\. Rename it to end in \.rapidity"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(SweepError, match=said) as raised:
            SweepStore.open(tmp_path / name)
        assert "ends in .sweep" not in str(raised.value), "it does"
        other = (tmp_path / name).rename(tmp_path / f"{name}.bak")
        with pytest.raises(SweepError, match=said + r".*ends in \.sweep"):
            SweepStore.open(other)
    store_of(tmp_path).close()
    with pytest.raises(SweepError, match="already"):
        store_of(tmp_path)
    _edit(tmp_path / "a.sweep", "PRAGMA user_version = 99")
    with pytest.raises(SweepError, match="newer version"):
        SweepStore.open(tmp_path / "a.sweep")
    _edit(
        tmp_path / "a.sweep", "PRAGMA user_version = 1", "CREATE TRIGGER t AFTER INSERT ON points BEGIN SELECT 1; END"
    )
    with pytest.raises(SweepError, match="does not have the tables"):
        SweepStore.open(tmp_path / "a.sweep")
    _edit(tmp_path / "a.sweep", "DROP TRIGGER t", "UPDATE meta SET value = '{\"seed\": -1}' WHERE key = 'spec'")
    with pytest.raises(SweepError, match="cannot be read: seed is -1"):
        SweepStore.open(tmp_path / "a.sweep")
    _edit(tmp_path / "a.sweep", "UPDATE meta SET value = CAST(X'7bff80' AS TEXT) WHERE key = 'spec'")
    with pytest.raises(SweepError, match=r"cannot be read: it is damaged\. Restore it from a backup\.$"):
        SweepStore.open(tmp_path / "a.sweep")
    damaged = bytearray((tmp_path / "a.sweep").read_bytes())
    damaged[4096:] = bytes(len(damaged) - 4096)
    (tmp_path / "a.sweep").write_bytes(damaged)
    with pytest.raises(SweepError, match="damaged"):
        SweepStore.open(tmp_path / "a.sweep")


def _edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("copied", [False, True], ids=["made", "copied"])
def test_what_a_killed_program_left_beside_a_sweep_is_not_read_into_the_next_of_its_name(
    tmp_path: Path, copied: bool
) -> None:
    path = tmp_path / "a.sweep"
    with store_of(tmp_path) as store:
        for index in range(5):
            store.finish(Outcome(index, {"rank": 1.0}))
        journal = (tmp_path / "a.sweep-wal").read_bytes()
    if copied:
        with SweepStore.create(tmp_path / "other.sweep", spec_of(("seed", "1, 2"))) as other:
            (tmp_path / "a.sweep-wal").write_bytes(journal)
            other.copy_to(path)
    else:
        path.unlink()
        (tmp_path / "a.sweep-wal").write_bytes(journal)
        SweepStore.create(path, spec_of(("seed", "1, 2"))).close()
    with SweepStore.open(path) as store:
        assert store.points.fields == ("seed",) and store.counts()["waiting"] == 2
        store.finish(Outcome(1, {"rank": 2.0}))
        assert store.row(1).row == {"rank": 2.0}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"width":128', '"width":-5', "model.width is -5"),
        ('"model.width"', '"model.breadth"', "Did you mean model.width"),
        ('"reach":', '"reich":', "sweep.reich is unknown"),
        (None, "[]", "no table of settings"),
        (None, "x", "damaged"),
    ],
)
def test_an_experiment_that_this_version_does_not_know_is_said_with_its_file(
    tmp_path: Path, old: str | None, new: str, said: str
) -> None:
    path = tmp_path / "a.sweep"
    SweepStore.create(path, spec_of(("model.width", "8, 16"))).close()
    with closing(sqlite3.connect(path)) as connection:
        if old is None:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'spec'", (new,))
        else:
            connection.execute("UPDATE meta SET value = replace(value, ?, ?) WHERE key = 'spec'", (old, new))
        connection.commit()
    with pytest.raises(SweepError, match=said) as told:
        SweepStore.open(path)
    assert str(path) in str(told.value) and "another version" in str(told.value)


def test_axes_that_cannot_be_make_no_file(tmp_path: Path) -> None:
    wrong = ExperimentSpec(sweep=SweepSpec(axes=(AxisSpec(field="model.widht", values=(1,)),)))
    with pytest.raises(SpecError, match="Did you mean"):
        SweepStore.create(tmp_path / "a.sweep", wrong)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(SweepError, match="cannot be made"):
        SweepStore.create(tmp_path / "file" / "a.sweep", spec_of())


def test_a_closed_sweep_says_so(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    store.close(), store.close()
    with pytest.raises(SweepError, match="closed"):
        store.counts()


def test_a_million_points_open_at_once_and_are_paged_without_a_list_of_them(tmp_path: Path) -> None:
    spec = spec_of(("attack.eps", "0 .. 1 : 1000"), ("seed", "0 .. 999 : 1000"))
    with store_of(tmp_path, spec) as store:
        for index in (5, 500_000, 999_999):
            store.finish(Outcome(index, {"rank": float(index)}))
    assert (tmp_path / "a.sweep").stat().st_size < 100_000
    tracemalloc.start()
    with SweepStore.open(tmp_path / "a.sweep") as store:
        assert store.counts()["waiting"] == 999_997
        assert [row.id for row in store.page(999_998, 5)] == [999_998, 999_999]
        assert [row.id for row in store.page(1, 3, "rank", True)] == [500_000, 5, 0]
        assert [row.id for row in store.page(499_998, 3, status="waiting")] == [499_999, 500_001, 500_002]
        assert [row.id for row in store.page(0, 2, "seed", True)] == [999, 1999]
        assert store.waiting(499_999, 3) == [499_999, 500_001, 500_002]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
