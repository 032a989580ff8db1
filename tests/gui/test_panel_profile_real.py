"""The profile with the frames that the experiments themselves make."""

from __future__ import annotations

import numpy as np
import pytest
from person import TINY

from engine.events import Frame
from engine.experiments import open_experiment
from gui.panels.profile.panel import ProfilePanel
from gui.panels.profile.references import NULL_CHIP, REPEATS_CHIP, THEORY_CHIP
from gui.panels.profile.split_words import speed_limit


@pytest.fixture(scope="module")
def made():
    spec = TINY.model_copy(update={"controls": TINY.controls.model_copy(update={"draws": 4, "repeats": 2})})
    found = {}
    for name in ("entangle", "null", "repeats", "layers"):
        for event in open_experiment(name, spec, {}):
            if isinstance(event, Frame) and event.topic in ProfilePanel.topics:
                found[event.topic] = event
    return found


def test_every_frame_is_drawn_and_named(qtbot, selection, theme, made):
    panel = ProfilePanel(selection, theme)
    panel.resize(530, 420)
    qtbot.addWidget(panel)
    panel.show()
    for topic in ("repeats", "null", "profile", "layers"):  # in any order
        panel.show_frame(made[topic])
    for group in ("same", "different"):
        panel.switches.turn(group, True)
    panel._redraw()
    texts = {entry.key: entry.text for entry in panel.chips.entries()}
    assert texts[NULL_CHIP] == "null: 4 networks drawn anew"
    assert texts[THEORY_CHIP] == "null: infinite width"
    assert texts[REPEATS_CHIP] == "2 networks, 95%"
    null = panel.curves.curves["same", "null"].line.getData()[1]
    assert np.isfinite(null).all()
    now = panel.values(0, "same")[0]
    assert null[0] == pytest.approx(now[0])  # the input itself is the same in every network
    assert panel.split.shown_layers() == ["linear 1", "linear 2", "logits"]
    assert speed_limit(panel.split.frame).startswith("Theorem |Δη| ≤ ln κ: ")
