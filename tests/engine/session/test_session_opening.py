"""What is not a session is told, each in its own sentence, and never written to."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from session_helpers import SPEC, filled

from engine.errors import SessionError
from engine.session import Session, schema


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    with filled(tmp_path / "made", rows=2000) as session:
        return session.save(tmp_path / "a.rapidity")


def digest(path: Path) -> tuple[str, int]:
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns


def refused(path: Path, tmp_path: Path) -> str:
    before = digest(path) if path.is_file() else None
    beside = set(path.parent.iterdir()) if path.parent.is_dir() else set()
    with pytest.raises(SessionError) as caught:
        Session.open(path, tmp_path / "work")
    if before:
        assert digest(path) == before
    work = tmp_path / "work"
    assert not work.exists() or list(work.iterdir()) == []
    assert {each for each in path.parent.iterdir() if each != work} == beside - {work}
    message = str(caught.value)
    assert message.endswith(".")
    assert str(path) in message
    return message


def patched(saved: Path, offset: int, data: bytes) -> Path:
    with saved.open("r+b") as file:
        file.seek(offset)
        file.write(data)
    return saved


def test_opening_never_writes_to_the_file(saved: Path, tmp_path: Path) -> None:
    before, folder = digest(saved), set(tmp_path.iterdir())
    with Session.open(saved, tmp_path / "work") as session:
        session.set_state("a", 1)
        session.begin_run("x", SPEC)
    assert digest(saved) == before
    assert set(tmp_path.iterdir()) - {tmp_path / "work"} == folder - {tmp_path / "work"}


def test_a_missing_file(tmp_path: Path) -> None:
    assert "There is no file" in refused(tmp_path / "none.rapidity", tmp_path)


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "is a folder" in refused(tmp_path / "folder", tmp_path)


def test_an_unreadable_file(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def no(self: Path, mode: str = "r", *rest: object, **more: object) -> object:
        if self == saved and mode == "rb":
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, mode, *rest, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", no)
    with pytest.raises(SessionError, match=r"cannot be read: Permission denied. Check its permissions\."):
        Session.open(saved, tmp_path / "work")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.rapidity").write_bytes(b"")
    assert "is empty" in refused(tmp_path / "a.rapidity", tmp_path)


@pytest.mark.parametrize(
    "content", [b"x", b"\x89PNG" + b"\0" * 500, b"hello " * 100, b"SQLite format 4\0" + b"\0" * 200]
)
def test_a_file_that_is_not_sqlite(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.rapidity").write_bytes(content)
    assert "is not a Rapidity Lab session" in refused(tmp_path / "a.rapidity", tmp_path)


def test_a_database_of_another_program(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE people (name)")
    assert "is a database of another program" in refused(tmp_path / "other.db", tmp_path)


def test_a_file_of_a_newer_version(saved: Path, tmp_path: Path) -> None:
    newer = patched(saved, 60, (schema.newest_version() + 6).to_bytes(4, "big"))
    message = refused(newer, tmp_path)
    assert "made by a newer version of Rapidity Lab (format 7; this version reads up to 1). Update" in message


def test_a_file_of_version_zero(saved: Path, tmp_path: Path) -> None:
    assert "unfinished session" in refused(patched(saved, 60, bytes(4)), tmp_path)


@pytest.mark.parametrize("share", [0.999, 0.5, 0.02])
def test_a_file_that_is_cut_off(saved: Path, tmp_path: Path, share: float) -> None:
    whole = saved.stat().st_size
    cut = max(int(whole * share), 200)
    saved.write_bytes(saved.read_bytes()[:cut])
    assert f"is cut off: it should have {whole:,} bytes and has {cut:,}" in refused(saved, tmp_path)


def test_a_file_cut_off_within_its_header(saved: Path, tmp_path: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:50])
    assert "is cut off: it has only 50 bytes" in refused(saved, tmp_path)
    saved.write_bytes(saved.read_bytes()[:10])
    assert "is cut off: it has only 10 bytes" in refused(saved, tmp_path)


@pytest.mark.parametrize("where", ["first page", "middle", "end"])
def test_a_damaged_file(saved: Path, tmp_path: Path, where: str) -> None:
    size = saved.stat().st_size
    start = {"first page": 100, "middle": size // 2 // 4096 * 4096, "end": size - 4096}[where]
    assert "is damaged" in refused(patched(saved, start, b"\xa5" * 3000), tmp_path)


def test_a_file_without_our_tables_or_with_a_trigger(saved: Path, tmp_path: Path) -> None:
    def changed(statement: str) -> Path:
        path = tmp_path / "changed.rapidity"
        shutil.copyfile(saved, path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)
            connection.commit()
        return path

    assert "does not have the tables" in refused(changed("DROP TABLE records"), tmp_path)
    trigger = "CREATE TRIGGER t AFTER INSERT ON state BEGIN DELETE FROM runs; END"
    assert "does not have the tables" in refused(changed(trigger), tmp_path)
    assert "does not have the tables" in refused(changed("CREATE VIEW v AS SELECT 1"), tmp_path)
    bad_spec = "UPDATE meta SET value = '{\"seed\": -1}' WHERE key = 'spec'"
    assert "an experiment that cannot be read: seed" in refused(changed(bad_spec), tmp_path)
    assert "an experiment that cannot be read" in refused(changed("DELETE FROM meta WHERE key = 'spec'"), tmp_path)


def test_a_file_with_a_journal_beside_is_read_with_it(tmp_path: Path) -> None:
    """A working copy copied by hand from a dead program, its latest work still in the journal."""
    with filled(tmp_path / "made") as session:
        for suffix in ("", "-wal"):
            source = session.working_copy.with_name(session.working_copy.name + suffix)
            shutil.copyfile(source, tmp_path / f"by hand.rapidity{suffix}")
    with Session.open(tmp_path / "by hand.rapidity", tmp_path / "work") as session:
        assert len(session.table(1, "steps")) == 10


def test_a_run_saved_while_it_ran_opens_as_interrupted(tmp_path: Path) -> None:
    with Session.create(tmp_path / "work", SPEC) as session:
        recorder = session.recorder(session.begin_run("x", SPEC))
        session.save(tmp_path / "a.rapidity")
        recorder.close("finished")
    with Session.open(tmp_path / "a.rapidity", tmp_path / "work") as session:
        run = session.runs()[0]
        assert run.status == "interrupted"
        assert run.finished is not None
        assert not session.dirty


def test_an_older_file_is_migrated_in_its_copy_only(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest(saved)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE notes (text TEXT NOT NULL)"))
    schema._tables.cache_clear()
    try:
        with Session.open(saved, tmp_path / "work") as session:
            with session._database.read() as connection:
                assert schema.version(connection) == 2
                assert connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)
            assert len(session.table(1, "steps")) == 2000
            assert digest(saved) == before
            session.save()
        with closing(sqlite3.connect(saved)) as connection:
            assert schema.version(connection) == 2
            assert not schema.migrate(connection)
    finally:
        schema._tables.cache_clear()


def test_a_migration_that_fails_leaves_the_old_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        assert schema.migrate(connection)
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE half (a); CREATE TABLE runs (a)"))
        with pytest.raises(sqlite3.OperationalError):
            schema.migrate(connection)
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        assert schema.version(connection) == 1
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)


def test_a_work_folder_that_cannot_be_made_is_told(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    makers: list[Callable[[Path], Session]] = [lambda at: Session.create(at, SPEC), lambda at: Session.open(saved, at)]
    for make in makers:
        with pytest.raises(SessionError, match="working copy of the session cannot be written"):
            make(tmp_path / "file" / "work")


def test_a_full_disk_while_opening_is_told_and_leaves_nothing(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(source), None, str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    assert "copying it to" in (message := refused(saved, tmp_path))
    assert "No space left on device. Free some space there" in message
