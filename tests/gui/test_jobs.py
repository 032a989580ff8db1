"""The jobs as the window knows them, from what the engine announces."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.events import Progress
from engine.runtime import Cancelled, Delivery, Failed, Finished, Paused, Queued, Resumed, Started
from engine.specs import ExperimentSpec
from gui.jobs import Jobs


class Engine:
    """Writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def __getattr__(self, name: str):
        return lambda job: self.asked.append((name, job))


class FakeLab:
    def __init__(self) -> None:
        self.engine = Engine()
        self.count = 0

    def run(self, experiment: str, spec: ExperimentSpec) -> int:
        self.count += 1
        return self.count


@pytest.fixture
def lab():
    return FakeLab()


@pytest.fixture
def jobs(qapp, lab):
    made = Jobs(lab)
    made.states = []
    made.state_changed.connect(made.states.append)
    return made


def tell(jobs: Jobs, *events: object) -> None:
    jobs.take(Delivery(lifecycle=list(events)))


def run(jobs: Jobs, experiment: str = "train", **options: bool) -> int:
    return jobs.run(experiment, ExperimentSpec(), **options)


def test_a_job_from_its_start_to_its_end(jobs):
    job = run(jobs)
    tell(jobs, Queued(job, "train"), Started(job, "train", 7))
    assert (jobs.current.state, jobs.current.run) == ("running", 7)
    tell(jobs, Paused(job))
    tell(jobs, Resumed(job))
    ended = []
    jobs.ended.connect(lambda view, end: ended.append((view.id, view.run, type(end))))
    tell(jobs, Finished(job))
    assert jobs.states == ["running", "paused", "running", "idle"]
    assert ended == [(job, 7, Finished)]
    assert jobs.all == []


@pytest.mark.parametrize("end", [Cancelled(1), Failed(1, "no", "", True), Finished(1)])
def test_every_end_leaves_the_lab_idle(jobs, end):
    tell(jobs, Queued(run(jobs), "train"), Started(1, "train", 1), end)
    assert jobs.state == "idle"


def test_jobs_wait_in_order_and_the_running_one_is_current(jobs):
    first, second = run(jobs), run(jobs, "attack")
    tell(jobs, Started(first, "train", 1))
    assert [(job.id, job.state) for job in jobs.all] == [(first, "running"), (second, "waiting")]
    assert jobs.current.id == first
    tell(jobs, Finished(first))
    assert jobs.current.id == second
    assert jobs.states == ["running"], "between two jobs the lab is not idle"


def test_single_stepping_a_new_job_begins_it_paused(jobs, lab):
    job = run(jobs, paused=True)
    assert lab.engine.asked == [("pause", job), ("step", job)]


def test_what_is_asked_without_a_name_is_meant_for_the_current_job(jobs, lab):
    first, _ = run(jobs), run(jobs)
    tell(jobs, Started(first, "train", 1))
    jobs.pause()
    jobs.step()
    jobs.resume()
    jobs.cancel()
    assert lab.engine.asked == [("pause", first), ("step", first), ("resume", first), ("cancel", first)]
    assert jobs.state == "stopping"


def test_where_nothing_runs_nothing_is_asked(jobs, lab):
    for ask in (jobs.pause, jobs.step, jobs.resume, jobs.cancel):
        ask()
    jobs.cancel(99)
    assert lab.engine.asked == []
    assert jobs.states == []


def test_progress_belongs_to_its_own_job(jobs, qtbot):
    job = run(jobs)
    tell(jobs, Started(job, "train", 1))
    with qtbot.waitSignal(jobs.progressed) as told:
        jobs.take(Delivery(job=job, progress=Progress(1, 9, "training")))
    assert told.args == [Progress(1, 9, "training")]
    assert jobs.current.progress == Progress(1, 9, "training")
    with qtbot.assertNotEmitted(jobs.progressed):
        jobs.take(Delivery(job=77, progress=Progress(2, 9, "another's")))


def test_announcements_of_unknown_jobs_are_passed_over(jobs):
    tell(jobs, Started(5, "train", 1), Finished(5))
    assert jobs.all == []


def test_what_comes_after_all_jobs_waits_for_the_last_of_them(jobs, lab):
    done: list[str] = []
    jobs.end_all(lambda: done.append("at once"))
    assert done == ["at once"]
    first, second = run(jobs), run(jobs)
    jobs.end_all(lambda: done.append("later"))
    assert lab.engine.asked == [("cancel", first), ("cancel", second)]
    third = run(jobs)  # of the next session; nothing waits for it
    tell(jobs, Cancelled(first))
    assert done == ["at once"]
    tell(jobs, Cancelled(second))
    assert done == ["at once", "later"]
    tell(jobs, Finished(third))
    assert done == ["at once", "later"]


def test_a_list_of_jobs_is_told_when_it_changes(jobs, qtbot):
    with qtbot.waitSignal(jobs.listed):
        job = run(jobs)
    with qtbot.waitSignal(jobs.listed):
        tell(jobs, SimpleNamespace(job=job))
