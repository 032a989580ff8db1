"""A person at the lock: paints an image, undoes it, presses the button, and sees the image come back or nothing."""

from __future__ import annotations

import numpy as np
import pytest
from person import TINY

from engine.specs import ReconcileSpec
from gui.panels.reconcile.message import digits_of, pixels_of

LOCKED = TINY.model_copy(
    update={
        "reconcile": ReconcileSpec(
            trials=1, steps=40, confidence=0.5, decodings=10, price_depth=2, price_pairs=20, eps=4.0, repetition=31
        )
    }
)
COMPILING = 240_000  # ms; the code's compiler works at its first use in a process


def sit_at_the_lock(open_lab, spec, **how):
    person = open_lab(spec=spec, **how)
    person.window.docks.show_panel("reconcile")
    person.wait(person.window.docks.reconcile.isVisible)
    return person, person.window, person.window.docks.reconcile


def test_a_key_is_chosen_by_hand_and_every_edit_can_be_undone(open_lab):
    person, window, panel = sit_at_the_lock(open_lab, LOCKED, start=False)
    key = panel.lock.key

    # choose a class by keyboard and paint a pixel: edits of the experiment, one undo each, and nothing runs
    person.choose(key.class_box, 2)
    assert window.editor.spec.reconcile.chosen_class == 2
    for row, column in ((1, 1), (6, 6)):
        person.click(key.painter, key.painter.place(row, column).center())
    painted = pixels_of(window.editor.spec.reconcile.message)
    assert painted.sum() == 2 and not window.jobs.all
    person.press("Ctrl+Z")
    assert pixels_of(window.editor.spec.reconcile.message).sum() == 1 and key.painter.pixels.sum() == 1
    person.press("Ctrl+Shift+Z")
    assert np.array_equal(key.painter.pixels, painted)

    # the form of all settings folds out on the step, and both show the same
    person.click(key.settings_button)
    assert person.form("reconcile").field("repetition").text() == "31"
    person.type("reconcile", "trials", "2")
    assert key.spec.trials == 2 and key.spec.chosen_class == 2

    # another session knows nothing of the classes and layers of this one
    panel.set_known(["cat", "dog", "cow"], [{"name": "relu 9", "kind": "activation"}])
    assert key.class_box.currentText() == "cow"
    person.press("Ctrl+N")
    assert key.class_box.currentText() == "2" and key.layer_box.count() == 1


@pytest.mark.slow
def test_the_lock_is_opened_and_priced(open_lab):
    painted = np.tile(np.arange(4, dtype=np.uint8), (8, 2))
    locked = LOCKED.reconcile.model_copy(update={"chosen_class": 2, "message": digits_of(painted)})
    person, window, panel = sit_at_the_lock(open_lab, LOCKED.model_copy(update={"reconcile": locked}))
    key = panel.lock.key

    # open the lock: what comes back is the painted image or nothing
    person.click(key.button)
    person.wait(lambda: not window.jobs.all, COMPILING)
    assert not person.notices(), person.notices()
    window.rotation.draw_all()
    cases = panel.lock.cases
    assert cases.count == 4 and not panel.lock.stale
    for k in range(4):
        image = cases.told.image(k)
        assert image is None or np.array_equal(window.stage.frame("reconciliation").arrays["case_image"][k], painted)
    assert cases.told.image(3) is None, "another class's lock stays shut"
    assert window.rail.is_done("train") and key.layer_box.currentText() == "last: relu 2"

    # other settings are said to be others
    person.choose(key.class_box, 4)
    assert "class 2 → 4" in panel.lock.note.text()

    # the price, from the menu: its page comes to the front
    window.actions_["run.price"].trigger()
    person.wait_for_job()
    assert not person.notices(), person.notices()
    window.rotation.draw_all()
    assert panel.page is panel.price and panel.price.frame is not None and "hash" in panel.subtitle
