"""Sweeps on a Dask cluster: a real one of two worker processes, one of which is killed."""

from __future__ import annotations

import gc
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.errors import SweepError
from engine.specs import AxisSpec, ExperimentSpec, MlpSpec, SweepSpec
from engine.sweep import cluster
from engine.sweep.cluster import Cluster, connect
from engine.sweep.run import sweep
from engine.sweep.software import here, version
from engine.sweep.store import SweepStore
from engine.sweep.work import Task, run_point
from tests.engine.sweep import tiny

pytest.importorskip("distributed")
SLOW = "tests.engine.sweep.test_cluster:slow"


def slow(spec: ExperimentSpec, reach: str, geometry: bool) -> Iterator[None]:
    """A third of a second a point, so that a worker can be killed at one."""
    for _ in range(30):
        time.sleep(0.01)
        yield None
    return tiny.Measured(tiny.row_of(spec) | {"layers": os.getpid()})


@dataclass(frozen=True)
class Machines:
    """A cluster of two worker processes, and a connection to it."""

    cluster: Any
    connection: Cluster

    def pids(self) -> list[int]:
        """The processes that compute."""
        return [worker.pid for worker in self.cluster.workers.values()]


def spec_of(points: int, title: str = "Widths") -> ExperimentSpec:
    axes = (AxisSpec(field="model.width", values=tuple(range(1, points + 1))),)
    return ExperimentSpec(title=title, model=MlpSpec(depth=1), sweep=SweepSpec(axes=axes, reach="trained"))


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    before = children()
    folder = str(tmp_path_factory.mktemp("dask"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TMPDIR", folder)  # a worker that is killed leaves what it has there
        yield from _machines(folder)
    wait_for(lambda: children() <= before)  # no process is left behind


def _machines(folder: str) -> Iterator[Machines]:
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set({"temporary-directory": folder}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",  # None would take port 8787
            silence_logs=60,
            local_directory=folder,
        ) as made,
    ):
        connection = patiently_connected(made)
        yield Machines(made, connection)
        connection.close()
        connection.close()
    gc.collect()


def patiently_connected(made: Any) -> Cluster:
    """A busy machine may take longer to answer than a person is asked to wait."""
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(cluster, "CONNECT_SECONDS", 120.0)
        return connect(made.scheduler_address)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def children() -> set[int]:
    """Processes that this one has started, but for the one by which Python tracks shared memory."""
    found = psutil.Process().children(recursive=True)
    return {each.pid for each in found if each.is_running() and "resource_tracker" not in " ".join(each.cmdline())}


def test_a_worker_that_is_killed_loses_nothing(machines: Machines, tmp_path: Path) -> None:
    killed = 0
    with SweepStore.create(tmp_path / "widths.sweep", spec_of(10)) as store:
        for _ in sweep(store, machines.connection.executor, machines.connection.slots, measure=SLOW):
            if not killed and store.counts()["finished"] >= 2:
                killed = int(store.page(0, 1, status="finished")[0].row["layers"])
                os.kill(killed, signal.SIGKILL)
        assert killed
        counts = store.counts()
        rows = store.page(0, 100)
    assert counts["finished"] == len(rows) == 10
    assert [row.id for row in rows] == list(range(10)), "each is there once"
    assert [row.row["parameters"] for row in rows] == [width**2 for width in range(1, 11)]
    assert killed in {row.row["layers"] for row in rows}, "what it had finished is kept"
    assert len({row.row["layers"] for row in rows}) >= 2
    wait_for(lambda: not psutil.pid_exists(killed) or psutil.Process(killed).status() == psutil.STATUS_ZOMBIE)


def test_there_is_a_place_for_each_thread_of_a_worker(machines: Machines) -> None:
    assert machines.connection.slots == 2


def test_what_is_stopped_stops_on_its_worker_without_a_file_that_both_see(machines: Machines, tmp_path: Path) -> None:
    with SweepStore.create(tmp_path / "endless.sweep", spec_of(3, str(tmp_path))) as store:
        running = sweep(store, machines.connection.executor, 2, measure=tiny.ENDLESS)
        while len(list(tmp_path.glob("begun *"))) < 2:
            next(running)
        running.close()
        assert store.counts()["waiting"] == 3
    wait_for(lambda: len(list(tmp_path.glob("ended *"))) == len(list(tmp_path.glob("begun *"))))


def test_a_scheduler_that_goes_away_ends_the_sweep_in_a_sentence_and_loses_nothing(tmp_path: Path) -> None:
    import dask
    from distributed import LocalCluster

    local = {"dashboard_address": ":0", "silence_logs": 60, "local_directory": str(tmp_path / "dask")}
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "120s", "temporary-directory": str(tmp_path)}),
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", **local) as made,
        SweepStore.create(tmp_path / "a.sweep", spec_of(40)) as store,
    ):
        connection = patiently_connected(made)
        dask.config.set({"distributed.comm.timeouts.connect": "1s"})  # so long the worker looks for it when it ends
        try:
            running = sweep(store, connection.executor, connection.slots, measure=SLOW)
            while store.counts()["finished"] < 2:
                next(running)
            gone = time.monotonic()
            made.sync(made.scheduler.close)
            with pytest.raises(SweepError, match=r"the scheduler is gone\. What is finished is kept"):
                list(running)
            assert time.monotonic() - gone < 60
        finally:
            connection.close()
        counts = store.counts()
        assert counts["finished"] >= 2 and counts["finished"] + counts["waiting"] == 40


def test_a_worker_of_another_version_says_both(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(0, spec_of(1).model_dump_json(), "initial", False, False, "0.0.1", "/nowhere", tiny.MEASURE)
    outcome = machines.connection.executor.submit(run_point, task).result(timeout=240)
    assert "0.0.1" in outcome.error and version() in outcome.error
    monkeypatch.setattr(cluster, "version", lambda: "9.9.9")
    with pytest.raises(SweepError, match=r"9\.9\.9") as told:
        patiently_connected(machines.cluster)
    assert version() in str(told.value)


def test_a_worker_with_another_torch_is_refused_by_its_address(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = dict(here()) | {"torch": "9.8.0"}
    monkeypatch.setattr(cluster, "here", lambda: elsewhere)
    with pytest.raises(SweepError, match=r"torch 9\.8\.0") as told:
        patiently_connected(machines.cluster)
    assert re.search(r"The worker tcp://[\d.]+:\d+ has torch", str(told.value))
    # and so is one that came later
    task = Task(0, spec_of(1).model_dump_json(), "initial", False, False, version(), "/nowhere", tiny.MEASURE)
    outcome = machines.connection.executor.submit(run_point, task).result(timeout=240)
    assert "torch 9.8.0" in outcome.error and "tcp://" in outcome.error


def test_nobody_there_is_said_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(SweepError, match="dask scheduler"):
        connect("tcp://127.0.0.1:9")
    assert time.monotonic() - began < 30


def test_what_listens_and_is_no_scheduler_is_said_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(SweepError, match="dask scheduler"):
            connect(f"tcp://127.0.0.1:{silent.getsockname()[1]}")
    assert time.monotonic() - began < 60
    # whoever asked gives up when nobody listens any more
    wait_for(lambda: "asking the scheduler" not in {thread.name for thread in threading.enumerate()})


@pytest.mark.parametrize("address", ["nonsense://x", "", "somewhere", "tcp://localhost"])
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(SweepError, match="tcp://HOST:8786"):
        connect(address)


def test_without_dask_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SweepError, match="rapidity-lab\\[cluster\\]"):
        connect("tcp://127.0.0.1:8786")
