"""The checks of an attack, as a person reads them."""

import pytest

from engine.events import Frame
from gui.panels.attack_checks import ChecksPanel
from gui.selection import Selection
from gui.theme import Theme

ACTIVE = {
    "samples": 20, "planted": 18, "by_chance": 1, "counted": 17, "found": 9, "rate": 9 / 17, "low": 0.31, "high": 0.74,
    "enough": 0.95, "weak": True, "verdict": "The attack misses planted weaknesses: it is too weak for this model.",
}  # fmt: skip


def frame(active=ACTIVE, why_not="", raised=("zero gradients",)):
    names = ("randomised", "probabilities", "zero gradients", "inner optimisation")
    flags = [{"name": n, "raised": n in raised, "figure": 0.5, "sentence": f"About {n}, <so> much."} for n in names]
    info = {
        "title": "PGD",
        "method": "pgd",
        "norm": "Linf",
        "budget": "ε = 0.1",
        "flags": flags,
        "active": active,
        "why_not": why_not,
    }
    return Frame("attack_checks", "measure", 4, {}, info)


@pytest.fixture
def panel(qtbot):
    made = ChecksPanel(Selection(), Theme.light())
    qtbot.addWidget(made)
    return made


def test_each_check_is_named_marked_and_explained(panel):
    panel.show_frame(frame())
    text = panel.browser.toPlainText()
    assert "Gradients that vanish" in text and "About zero gradients, <so> much." in text
    assert text.count("▲") == 2 and text.count("●") == 3  # the raised flag and the active test
    assert "Found 9 of 17: 53% [31%, 74%]; 95% is asked for" in text
    assert panel.subtitle == "PGD · L∞ · ε = 0.1"


def test_an_attack_without_a_budget_says_why_it_is_not_tested(panel):
    panel.show_frame(frame(active=None, why_not="DeepFool knows no budget.", raised=()))
    text = panel.browser.toPlainText()
    assert "DeepFool knows no budget." in text and "▲" not in text and text.count("○") == 1


def test_the_rows_can_be_taken_away_and_the_panel_emptied(panel, qtbot):
    panel.show_frame(frame())
    rows = list(panel.csv_rows())
    assert rows[0] == ("check", "raised", "sentence") and len(rows) == 6
    assert [row[1] for row in rows[1:]] == [1, 0, 0, 1, 0]
    panel.clear()
    assert list(panel.csv_rows()) == [] and panel.browser.toPlainText() == ""
    with qtbot.waitSignal(panel.check_requested):
        panel.button.click()
