from dataclasses import dataclass

import pace
import pytest
from conftest import unnamed
from PySide6.QtCore import QPoint, Qt

from gui.chrome.moments import bands
from gui.chrome.timeleft import TimeLeft, clock_text
from gui.chrome.transport import Transport


@dataclass(frozen=True)
class Moment:
    id: int
    run: int
    phase: str
    step: int
    topics: tuple[str, ...] = ()


STORY = [
    Moment(10, 1, "data", 0),
    Moment(11, 1, "init", 0),
    *(Moment(20 + i, 1, "train", 10 * i) for i in range(48)),
    *(Moment(100 + i, 1, "attack", i) for i in range(42)),  # the last is no step but the best points found
    Moment(200, 1, "measure", 0),
]


@pytest.fixture
def bar(qtbot, theme):
    made = Transport(theme)
    made.resize(1200, 48)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize(
    ("state", "usable"),
    [
        ("idle", {"run", "step"}),
        ("running", {"pause", "stop"}),
        ("paused", {"run", "step", "stop"}),
        ("stopping", set()),
    ],
)
def test_the_buttons_follow_the_run_state(bar, state, usable):
    bar.set_state(state)
    assert {name for name, button in bar.buttons.items() if button.isEnabled()} == usable


def test_after_a_pause_the_run_button_is_called_go_on(bar):
    bar.set_state("paused")
    assert bar.buttons["run"].accessibleName() == "Go on"
    bar.set_state("idle")
    assert bar.buttons["run"].accessibleName() == "Run"


@pytest.mark.parametrize(
    ("name", "state"), [("run", "idle"), ("pause", "running"), ("step", "paused"), ("stop", "running")]
)
def test_each_button_asks_for_its_thing(bar, qtbot, name, state):
    bar.set_state(state)
    with qtbot.waitSignal(getattr(bar, f"{name}_requested")):
        qtbot.mouseClick(bar.buttons[name], Qt.MouseButton.LeftButton)


def test_live_stays_at_the_end_as_moments_come_and_tells_nothing(bar, qtbot):
    with qtbot.assertNotEmitted(bar.moment_chosen):
        bar.set_moments(STORY[:5])
        bar.set_moments(STORY)
    assert bar.live
    assert bar.timeline.moment.id == 200
    assert bar._where.text() == "final measurement"


def test_a_drag_to_the_past_leaves_live_and_new_moments_do_not_move_the_handle(bar, qtbot):
    bar.set_moments(STORY[:60])
    with qtbot.waitSignal(bar.moment_chosen) as told:
        qtbot.mouseClick(bar.timeline, Qt.MouseButton.LeftButton, pos=QPoint(bar.timeline.width() // 2, 10))
    chosen = told.args[0]
    assert not bar.live
    assert not bar.live_button.isChecked()
    bar.set_moments(STORY)
    assert bar.timeline.moment.id == chosen
    assert bar._where.text().startswith("training step")
    with qtbot.waitSignal(bar.live_requested):
        qtbot.mouseClick(bar.live_button, Qt.MouseButton.LeftButton)
    assert bar.live
    assert bar.timeline.moment.id == 200


def test_the_last_moment_chosen_by_hand_is_not_live(bar, qtbot):
    bar.set_moments(STORY[:60])
    bar.timeline.setFocus()
    qtbot.keyClick(bar.timeline, Qt.Key.Key_Home)
    qtbot.keyClick(bar.timeline, Qt.Key.Key_End)
    last = bar.timeline.moment.id
    bar.set_moments(STORY)
    assert bar.timeline.moment.id == last


def test_arrow_keys_move_by_one_moment(bar, qtbot):
    bar.set_moments(STORY)
    bar.timeline.setFocus()
    with qtbot.waitSignal(bar.moment_chosen) as told:
        qtbot.keyClick(bar.timeline, Qt.Key.Key_Left)
    assert told.args == [141]
    assert bar._where.text() == "attack: best found"
    bar.previous()
    assert bar._where.text() == "attack step 40 / 40"
    assert bar.timeline.accessibleDescription() == "attack step 40 / 40"
    bar.previous()
    assert bar._where.text() == "attack step 39 / 40"
    bar.next()
    assert bar._where.text() == "attack step 40 / 40"


def test_moments_say_which_attack_they_belong_to(bar):
    later = [*(Moment(400 + i, 2, "attack", i) for i in range(12)), Moment(500, 3, "map", 0)]
    bar.set_moments([*STORY, *later])
    bar.set_attacks({1: "PGD", 2: "FMN", 3: "FMN"}, frozenset({1}))
    assert [bar.timeline.name(id) for id in (103, 141, 200, 411, 500)] == [
        "PGD: step 3 / 40", "PGD: best found", "PGD: final measurement", "FMN: step 11 / 11", "FMN: decision map",
    ]  # fmt: skip
    bar.set_attacks({1: "PGD", 2: "FMN", 3: "FMN"}, frozenset({1, 2}))
    assert bar.timeline.name(411) == "FMN: best found", "its run went to its end"
    assert bar.timeline.name(402) == "FMN: step 2 / 10"
    assert bar.timeline.name(10) == "data"


def test_moments_of_a_closer_look_are_called_by_its_name_and_not_by_an_attack_s(bar):
    looks = [
        Moment(300, 2, "measure", 0, ("reconciliation", "reconciliation_curve")),
        Moment(301, 3, "measure", 0, ("price",)),
        Moment(302, 4, "measure", 0, ("max_likelihood",)),
        Moment(303, 4, "measure", 0, ("noise_descent",)),
        Moment(304, 5, "measure", 0, ("takeover",)),
        Moment(305, 6, "measure", 0, ("attack_checks",)),
        Moment(306, 7, "measure", 0, ("pairs", "profile")),
    ]
    bar.set_moments([*STORY, *looks])
    assert bar.timeline.name(300) == "Reconciliation"
    bar.set_attacks(dict.fromkeys(range(1, 8), "PGD"), frozenset(range(1, 8)))
    assert [bar.timeline.name(moment.id) for moment in looks] == [
        "Reconciliation", "Price of entangling first", "Linear networks and noise",
        "Linear networks and noise", "PGD: takeover", "PGD: checks", "PGD: final measurement",
    ]  # fmt: skip
    assert [band.look for band in bar.timeline._bands][-6:-1] == [
        "Reconciliation", "Price of entangling first", "Linear networks and noise", "Takeover", "",
    ]  # fmt: skip


def test_a_moment_set_from_outside_tells_nothing(bar, qtbot):
    bar.set_moments(STORY)
    with qtbot.assertNotEmitted(bar.moment_chosen):
        bar.set_moment(11)
    assert bar._where.text() == "at initialisation"
    assert not bar.live


def test_moments_fall_into_bands_by_run_and_phase():
    found = bands([*STORY, Moment(300, 2, "measure", 0)])
    assert [(b.phase, b.first, b.last, b.last_step) for b in found] == [
        ("data", 0, 0, 0), ("init", 1, 1, 0), ("train", 2, 49, 470), ("attack", 50, 91, 40),
        ("measure", 92, 92, 0), ("measure", 93, 93, 0),
    ]  # fmt: skip


def test_bands_are_drawn_in_their_phase_s_colour(bar, theme):
    bar.set_moments(STORY)
    image = bar.timeline.grab().toImage()
    middle = bar.timeline
    seen = {image.pixelColor(round(middle._x(position)), 13).name() for position in (20, 70)}
    assert seen == {theme.palette["sky"], theme.palette["vermillion"]}


def test_progress_tells_the_time_left_from_its_own_pace():
    now = [0.0]
    left = TimeLeft(lambda: now[0])
    for done in range(0, 50, 10):
        left.update(done, 100)
        now[0] += 1.0
    assert left.rate == pytest.approx(10.0)
    assert left.seconds == pytest.approx(6.0)
    left.update(0, 100)
    assert left.seconds is None, "another job has a pace of its own"


def test_the_pace_is_that_of_the_last_seconds():
    now = [0.0]
    left = TimeLeft(lambda: now[0])
    done = 0
    for second in range(60):
        done += 1 if second < 30 else 10
        left.update(done, 1000)
        now[0] += 1.0
    assert left.rate == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (4.4, "0:04"), (134, "2:14"), (3725, "1:02:05"), (-1, "0:00")]
)
def test_a_time_left_reads_like_a_clock(seconds, text):
    assert clock_text(seconds) == text


def test_the_bar_shows_progress_while_a_job_runs_and_nothing_otherwise(bar):
    assert not bar.progress.isVisible()
    bar.set_state("running")
    bar.set_progress(23, 40, "attacking")
    assert bar.progress.isVisible()
    assert (bar.progress.value(), bar.progress.maximum()) == (23, 40)
    bar.set_state("paused")
    assert bar._time.text() == "paused"
    bar.clear_progress("cancelled")
    assert not bar.progress.isVisible()
    assert bar._text.full_text == "cancelled"


def test_everything_on_the_bar_has_a_name(bar):
    bar.set_jobs(1, 2)
    assert unnamed(bar) == []
    assert bar.jobs_button.accessibleName() == "Jobs: 1 running, 2 waiting"


def test_ten_thousand_moments_are_shown_at_once(bar):
    many = [Moment(i, 1 + i // 2000, "train" if i % 2000 < 1800 else "attack", i % 2000) for i in range(10_000)]
    bar.set_moments(many)
    assert pace.least(lambda: (bar.set_moments([]), bar.set_moments(many), bar.timeline.grab()), 0.1) < 0.1
