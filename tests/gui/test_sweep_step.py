"""What the Sweep step says before a sweep is run, while it runs, when some of it is left, and when it is done."""

from __future__ import annotations

import pytest
from sweep_files import grid, made, outcome

from engine.specs import ExperimentSpec
from engine.sweep.cost import cost
from engine.sweep.points import Points
from gui.sweep_step import Outlook, how_far, look_ahead, offer, waits
from gui.sweeps import Computer, file_of

SPEC = grid(("model.width", (4, 8)), ("seed", (0, 1, 2)))
HERE = Computer(workers=2)


def test_before_it_is_run_all_points_are_told_with_their_cost():
    ahead = look_ahead(SPEC, None, HERE)
    said = offer(SPEC, ahead, "none", {}, HERE)
    assert (said.label, said.deed) == ("Run sweep of 6 points", "run")
    assert said.note == f"= {cost(Points(SPEC), workers=2).sentence}"
    assert offer(SPEC, None, "none", {}, HERE).note == "", "not known yet"
    assert offer(ExperimentSpec(), None, "none", {}, HERE).deed == "none"


@pytest.mark.parametrize("is_open", [True, False])
def test_what_is_left_is_told_with_the_cost_of_that_alone(tmp_path, is_open):
    path = tmp_path / "a.sweep" if is_open else file_of(SPEC)
    path.parent.mkdir(parents=True, exist_ok=True)
    with made(path, SPEC, finished=4, failed=(1,)) as store:
        took = store.column("seconds")["seconds"]
        ahead = look_ahead(SPEC, store if is_open else None, HERE)
        said = offer(SPEC, ahead, "idle" if is_open else "none", store.counts() if is_open else {}, HERE)
    assert ahead.left == 2 and len(took) == 3
    assert said.label == "Go on with 2 points" and said.deed == "run"
    assert said.note == f"= {cost(Points(SPEC), took, 2, 2).sentence}" and "2 of 6 points: about" in said.note


def test_while_it_runs_it_says_how_far_it_is():
    counts = {"finished": 3, "failed": 1, "running": 1, "waiting": 1}
    running = offer(SPEC, None, "running", counts, HERE)
    assert (running.label, running.deed) == ("Show the running sweep", "show") and "4 of 6 points" in running.note
    assert offer(SPEC, None, "paused", counts, HERE).label == "Go on with 2 points"
    assert offer(SPEC, None, "stopping", counts, HERE).deed == "none"


def test_when_nothing_is_left_it_says_so_and_offers_what_failed():
    ahead = Outlook(cost(Points(SPEC)), {"finished": 6})
    done = offer(SPEC, ahead, "idle", {"finished": 6}, HERE)
    assert done.deed == "none" and done.note.startswith("All 6 points are finished.") and done.tip == done.note
    failed = offer(SPEC, ahead, "idle", {"finished": 4, "failed": 2}, HERE)
    assert (failed.label, failed.deed) == ("Retry 2 failed points", "retry")
    assert failed.note == "All 6 points are done: 4 finished, 2 failed."
    cancelled = offer(SPEC, ahead, "idle", {"finished": 5, "cancelled": 1}, HERE)
    assert cancelled.deed == "none" and "Retry cancelled points in the Sweep panel" in cancelled.note
    elsewhere = offer(SPEC, ahead, "none", {}, HERE)
    assert (elsewhere.label, elsewhere.deed) == ("Open sweep of 6 points", "run")
    assert elsewhere.note == "All 6 points are finished."


def test_a_point_that_cannot_be_built_is_told_beside_the_cost():
    spec = grid(("model.width", (10**6, 4)))
    said = offer(spec, look_ahead(spec, None, HERE), "none", {}, HERE)
    assert said.note.startswith("= 2 points") and "Its first point fails: " in said.note


def test_of_a_cluster_one_cores_computing_is_told():
    cluster = Computer(scheduler="tcp://a:1")
    said = offer(SPEC, look_ahead(SPEC, None, cluster), "none", {}, cluster)
    assert said.note.startswith("= 6 points, about") and said.note.endswith("of one core's computing.")


def test_before_a_sweep_is_stopped_it_is_told_how_far_it_is_and_that_it_is_kept():
    said = how_far("widths", "/a/widths.sweep", {"finished": 2, "failed": 1, "running": 1, "waiting": 2})
    assert said == (
        "“widths” is under way: 3 of 6 points are done. They are kept in its file, and the 3 that are left can be gone on "
        "with when it is opened again: /a/widths.sweep"
    )


def test_of_a_sweep_that_was_opened_it_is_told_what_waits_and_what_that_takes(tmp_path):
    with made(tmp_path / "a.sweep", SPEC, finished=5, failed=(1,)) as store:
        ahead = look_ahead(SPEC, store, HERE)
        assert waits("a", ahead, HERE) == f"“a”: 5 of its points are there, 1 point waits: {ahead.cost.takes}"
        assert waits("a", ahead, Computer(scheduler="tcp://a:1")) == "“a”: 5 of its points are there, 1 point waits."
    with made(tmp_path / "b.sweep", SPEC, finished=6) as store:
        assert waits("b", look_ahead(SPEC, store, HERE), HERE) == ""


@pytest.mark.parametrize(
    ("failed", "deed", "words"),
    [
        ((1,), "retry", ""),
        (
            (0,),
            "none",
            " To retry them is of no use: their settings are impossible. Change an axis to run other points.",
        ),
        ((0, 1), "retry", " Those whose settings are impossible will fail again."),
    ],
)
def test_a_retry_is_offered_where_it_can_help(tmp_path, failed, deed, words):
    spec = grid(("model.width", (10**6, 4)))  # no network is as wide as the first
    with made(tmp_path / "a.sweep", spec, finished=0) as store:
        for index in range(2):
            store.finish(outcome(store, index, f"reason {index}" if index in failed else ""))
        said = offer(spec, look_ahead(spec, store, HERE), "idle", store.counts(), HERE)
    assert said.deed == deed
    assert said.note.partition(".")[2] == words


def test_one_point_is_told_as_one():
    ahead = Outlook(cost(Points(SPEC)), {"failed": 1})
    assert offer(SPEC, ahead, "idle", {"failed": 1}, HERE).note == "Its point is done: 1 failed."
    assert offer(SPEC, None, "running", {"running": 1}, HERE).note == "It runs: 0 of 1 point is done."
