"""The claims board: every claim is there, and no verdict without its runs."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import relation_frames as made
from conftest import unnamed
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from engine.events import Frame, Progress
from engine.experiments import open_experiment
from engine.experiments.claims import CLAIMS, Number
from engine.experiments.groups import GROUPS, QUANTITIES
from engine.specs import ControlsSpec, ExperimentSpec, TrainingSpec
from gui.helptext import read_help
from gui.jobs import JobView
from gui.panels.claims.panel import ClaimsPanel
from gui.panels.claims.words import (
    AGAINST,
    DIFFER,
    HOLDS,
    LATER,
    MEASURING,
    NOT_RUN,
    PART,
    UNDECIDED,
    WAITING,
    value_text,
)
from gui.redraw import Rotation
from gui.stage import Stage
from gui.theme import Theme, contrast

LEFT = Qt.MouseButton.LeftButton
TAPS = [{"name": name} for name in ("input", "relu 1", "logits")]
NAMES = ["adversarial", "clean", "random", "initial", "other", "members"]
TESTABLE = sum(1 for claim in CLAIMS if claim.tested_by)


def takeover(*, done: bool = True, **info: str) -> Frame:
    mean = np.array([0.6, -0.1, 0.0, 0.1, 0.3, 0.8])[:, None].repeat(3, 1)
    arrays = {"success_mean": mean, "success_low": mean - 0.03, "success_high": mean + 0.03}
    said = {"names": NAMES, "labels": NAMES, "taps": TAPS, "done": done, "success": 0.8, **info}
    return Frame("takeover", "measure", 0, arrays, said)


def falsifier(memorised: float = 1.0, **more: str) -> Frame:
    mean = np.full((2, 3), 0.05)
    arrays = {"success_mean": mean, "success_low": mean - 0.03, "success_high": mean + 0.03}
    info = {"names": ["adversarial", "random"], "labels": ["x_adv", "random"], "taps": TAPS, "success": 1.0}
    info |= {"memorised": memorised, **more}
    return Frame("falsifier", "measure", 0, arrays, info)


def pairs(topic: str, same: float, different: float, reach: float) -> Frame:
    mean = np.full((2, len(QUANTITIES), len(GROUPS), 3), np.nan)
    mean[:, :, 0], mean[:, :, 1] = same, different
    return Frame(topic, "measure", 0, {"mean": mean, "low": mean - reach, "high": mean + reach}, {"taps": TAPS})


def bell() -> Frame:
    rows = [{"tap": "relu 1", "S": 1.98, "error": 0.02, "algebraic": 2.8}, {"tap": "dead"}]
    return Frame("bell", "measure", 0, {}, {"layers": rows})


ALL = (
    takeover(),
    falsifier(),
    pairs("repeats", 0.7, -0.2, 0.02),
    pairs("null", 0.4, 0.0, 0.1),
    bell(),
    made.vulnerability_frame(12),
    made.transferability_frame(),
)


@pytest.fixture
def panel(qtbot, selection, theme):
    built = ClaimsPanel(selection, theme)
    built.resize(650, 420)
    qtbot.addWidget(built)
    built.show()
    return built


def test_every_claim_is_listed_in_order_without_any_run_and_without_a_verdict(panel):
    assert list(panel.cards) == [claim.key for claim in CLAIMS]
    places = [card.y() for card in panel.cards.values()]
    assert places == sorted(places)
    assert not panel.is_empty
    assert set(panel.verdicts().values()) == {None}
    assert {card.state for card in panel.cards.values()} <= {NOT_RUN, LATER}
    assert not any(card.forest.isVisible() or card.sentence.isVisible() for card in panel.cards.values())
    assert "this session's network, data and attack" in panel.heading.text()


def test_what_cannot_be_tested_yet_says_why_and_has_no_button(panel):
    for card in panel.cards.values():
        if not card.claim.tested_by:
            assert card.chip.word == "not yet testable here"
            assert not card.button.isVisible()
            assert card.how.full_text == card.claim.how


def test_the_button_asks_for_the_first_run_that_is_missing(qtbot, panel):
    card = panel.cards["adversarial"]
    panel.area.ensureWidgetVisible(card)
    with qtbot.waitSignal(panel.run_requested) as asked:
        qtbot.mouseClick(card.button, LEFT)
    assert asked.args == ["takeover"]
    assert card.button.text() == "Run"
    panel.show_frame(takeover())
    assert card.needs.full_text == "There is Takeover, still to run: Falsifier."
    with qtbot.waitSignal(panel.run_requested) as asked:
        qtbot.mouseClick(card.button, LEFT)
    assert asked.args == ["falsifier"]
    panel.show_frame(falsifier())
    assert card.button.text() == "Run again"
    assert not card.needs.isVisible()
    with qtbot.waitSignal(panel.run_requested) as asked:
        qtbot.mouseClick(card.button, LEFT)
    assert asked.args == ["takeover"]


def test_verdicts_are_words_with_numbers_intervals_and_the_control_that_decides(panel):
    for frame in ALL:
        panel.show_frame(frame)
    words = {key: found.word for key, found in panel.verdicts().items() if found is not None}
    assert words == {
        "entangled": PART,
        "bell": AGAINST,
        "adversarial": PART,
        "transfer": PART,
        "vulnerable": AGAINST,
        "perfect": AGAINST,
    }
    card = panel.cards["adversarial"]
    assert card.chip.word == PART == card.state
    assert "falsifier" in card.control.full_text
    assert card.sentence.text() == card.verdict.sentence
    assert "adversarial, relu 1: 0.60 [0.57, 0.63]" in card.forest.accessibleName()
    assert panel.subtitle == f"6 of {TESTABLE} testable claims judged · 3 holds in part · 3 not supported"


def test_a_run_that_has_not_ended_gives_no_verdict(panel):
    panel.show_frame(takeover(done=False))
    assert panel.cards["perfect"].verdict is None
    assert panel.cards["perfect"].chip.word == MEASURING
    panel.show_frame(takeover())
    assert panel.cards["perfect"].chip.word == AGAINST


def test_runs_of_different_settings_give_no_verdict_and_the_older_is_asked_for(qtbot, panel):
    card = panel.cards["adversarial"]
    for frame in (takeover(key="a"), falsifier(key="a")):
        panel.show_frame(frame)
    assert card.verdict is not None and card.button.text() == "Run again"
    panel.show_frame(takeover(key="b"))
    assert card.verdict is None and card.chip.word == DIFFER
    assert card.needs.full_text == "There is Takeover, run with other settings, to be run again: Falsifier."
    assert card.needs.full_text in panel.text()
    panel.area.ensureWidgetVisible(card)
    with qtbot.waitSignal(panel.run_requested) as asked:
        qtbot.mouseClick(card.button, LEFT)
    assert asked.args == ["falsifier"]
    panel.show_frame(falsifier(key="b"))
    assert card.chip.word == PART


def test_what_is_undecided_says_why_and_is_not_counted_as_judged(panel):
    for frame in (takeover(), falsifier(memorised=0.5)):
        panel.show_frame(frame)
    card = panel.cards["adversarial"]
    assert card.chip.word == UNDECIDED and "by heart" in card.sentence.text()
    assert panel.subtitle == f"1 of {TESTABLE} testable claims judged · 1 not supported · 1 undecided"


def test_a_topic_that_is_gone_takes_its_verdict_with_it(qtbot, panel):
    class FakeStage(Stage):
        def __init__(self) -> None:
            super().__init__(session=None)  # type: ignore[arg-type]

        def say(self, frames: dict[str, Frame]) -> None:
            changed, self._live = {*self._live, *frames}, dict(frames)
            for topic in changed:
                self.topic_changed.emit(topic)

    stage = FakeStage()
    rotation = Rotation([panel], stage)
    stage.say({"takeover": takeover(), "falsifier": falsifier(), "bell": bell()})
    rotation.draw_all()
    assert panel.cards["adversarial"].verdict is not None
    stage.say({"bell": bell()})
    rotation.draw_all()
    assert panel.cards["adversarial"].chip.word == panel.cards["perfect"].chip.word == NOT_RUN
    assert panel.cards["bell"].chip.word == AGAINST


def test_at_a_moment_without_runs_it_says_so_above_the_claims(panel):
    panel.show_frame(bell())
    panel.clear()
    panel.show_empty("Shown is “step 3”. This was measured later.")
    assert not panel.is_empty and panel.note.isVisible()
    panel.show_frame(bell())
    assert not panel.note.isVisible()
    panel.clear()
    assert set(panel.verdicts().values()) == {None} and not panel.note.isVisible()


def test_it_scrolls_and_nothing_is_wider_than_the_panel(qtbot, panel):
    for frame in ALL:
        panel.show_frame(frame)
    for width in (320, 650, 1000):
        panel.resize(width, 420)
        qtbot.waitUntil(lambda: panel.area.widget().width() <= panel.area.viewport().width())
        assert panel.area.verticalScrollBar().maximum() > 0
        for card in panel.cards.values():
            assert (
                card.forest.height() >= card.forest.heightForWidth(card.forest.width()) or not card.forest.isVisible()
            )


def test_the_scale_holds_every_number_and_the_tip_says_it(panel):
    panel.show_frame(bell())
    forest = panel.cards["bell"].forest
    assert forest.reach == 3.0
    assert forest.describe(3).startswith("largest S behind the input, relu 1\n1.98")
    assert "no interval" in forest.describe(forest.height() - 25)
    assert forest.describe(10_000) == ""


def test_numbers_are_written_with_their_interval_or_without():
    assert value_text(Number("a", -0.5, -0.6, -0.4)) == "−0.50 [−0.60, −0.40]"
    assert value_text(Number("a", 1.0)) == "1.00"
    assert value_text(Number("a", float("nan"))) == "undefined"


def test_text_and_csv_hold_the_whole_board(panel, tmp_path):
    for frame in ALL:
        panel.show_frame(frame)
    panel.export_menu.actions()[0].trigger()
    text = QGuiApplication.clipboard().text()
    assert all(claim.text in text for claim in CLAIMS)
    assert "HOLDS IN PART" in text and "0.60 [0.57, 0.63]" in text and "NOT RUN" in text
    path = tmp_path / "claims.csv"
    panel.ask_save = lambda *_: str(path)
    panel.save_csv()
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert {row["claim"] for row in rows} == {claim.key for claim in CLAIMS}
    (x_adv,) = [row for row in rows if row["claim"] == "perfect" and row["number"] == "adversarial, relu 1"]
    assert float(x_adv["value"]) == pytest.approx(0.6) and x_adv["state"] == "not supported"
    (waiting,) = [row for row in rows if row["claim"] == "noise"]
    assert waiting["state"] == NOT_RUN and waiting["value"] == ""


@pytest.mark.parametrize("look", [Theme.dark(), Theme.light()])
def test_both_themes_draw_it_and_a_verdict_can_be_read_on_its_chip(panel, look):
    panel.show_frame(bell())
    panel.set_theme(look)
    assert not panel.grab().isNull()
    assert contrast(look.text, look.surface) > 7
    assert panel.cards["bell"].chip.colour == look.palette["vermillion"]


def test_every_control_has_a_name_and_there_is_a_help_text(panel):
    assert unnamed(panel) == []
    found = read_help(ClaimsPanel.key)
    assert found is not None and set(found.kinds) == {"theorem", "measurement", "analogy"}


def test_a_real_tiny_run_gives_its_verdict(panel):
    spec = ExperimentSpec(
        training=TrainingSpec(epochs=4, learning_rate=0.003), controls=ControlsSpec(networks=4, permutations=100)
    )
    words = []
    for event in open_experiment("vulnerability", spec, {}):
        if isinstance(event, Frame) and event.topic == "vulnerability":
            panel.show_frame(event)
            words.append(panel.cards["vulnerable"].chip.word)
    assert set(words[:-1]) == {MEASURING}
    assert words[-1] in (HOLDS, PART, AGAINST, UNDECIDED)
    assert len(panel.cards["vulnerable"].forest.numbers) >= 2  # over so few networks not all is defined


# --- all that is missing, at one press -----------------------------------------------------------------------------


def job(number: int, experiment: str, state: str = "waiting", progress: Progress | None = None) -> JobView:
    return JobView(number, experiment, state, ExperimentSpec(), progress=progress)


def test_one_press_asks_for_every_missing_experiment_once_and_in_order(qtbot, panel):
    with qtbot.waitSignal(panel.run_all_requested) as asked:
        qtbot.mouseClick(panel.runs.button, LEFT)
    needed = dict.fromkeys(name for claim in CLAIMS for name in claim.tested_by)
    assert asked.args == [tuple(needed)]
    panel.show_frame(takeover())
    with qtbot.waitSignal(panel.run_all_requested) as asked:
        qtbot.mouseClick(panel.runs.button, LEFT)
    assert asked.args == [tuple(name for name in needed if name != "takeover")]


def test_each_card_says_how_far_its_runs_are_and_all_can_be_stopped(qtbot, panel):
    qtbot.mouseClick(panel.runs.button, LEFT)
    jobs = [job(1, "takeover", "running", Progress(2, 5, "measuring controls")), job(2, "falsifier"), job(3, "bell")]
    panel.set_jobs({each.experiment: each for each in jobs})
    total = len(panel.runs.missing)
    assert panel.cards["adversarial"].state == MEASURING == panel.cards["perfect"].state
    assert panel.cards["bell"].state == WAITING
    assert panel.cards["adversarial"].needs.full_text.startswith("Takeover 40%, measuring controls, Falsifier waits")
    assert panel.runs.progress.full_text == f"{total - 2} of {total}: Takeover 40%, measuring controls"
    assert not panel.runs.button.isVisible()
    with qtbot.waitSignal(panel.stop_requested):
        qtbot.mouseClick(panel.runs.stop_button, LEFT)
    panel.set_jobs({})
    assert panel.cards["adversarial"].state == NOT_RUN == panel.cards["bell"].state
    assert panel.runs.button.isVisible() and not panel.runs.stop_button.isVisible()
