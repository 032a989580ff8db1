"""A person asks how robust the network is: settings fold out, the look runs, and its pages are seen."""

from __future__ import annotations

from person import PATIENCE, TINY

from engine.specs import RobustnessSpec

SMALL = TINY.model_copy(
    update={
        "robustness": RobustnessSpec(
            samples=12, budgets=3, steps=3, queries=12, apgd=False, square=False, transferred=False
        )
    }
)


def test_robustness_is_set_up_measured_and_looked_at(open_lab):
    person = open_lab(spec=SMALL)
    window = person.window
    window.docks.show_panel("robustness")
    panel = window.docks.robustness
    person.wait(panel.isVisible)
    # the settings fold out on the Attack step
    person.click(panel.settings_button)
    assert window.rail.current == "attack" and person.form("robustness").field("budgets").text() == "3"
    person.type("robustness", "budgets", "4")
    assert window.editor.spec.robustness.budgets == 4
    person.click(panel.button)
    person.wait(lambda: not window.jobs.all, 4 * PATIENCE)
    person.wait(lambda: not panel.is_empty and panel.page.made)
    person.drawn()
    frame = window.stage.frame("robustness")
    assert frame is not None and frame.info["done"] and len(frame.arrays["eps"]) == 4
    assert "worst case" in panel.subtitle and not panel.other.isVisible()
    for key, said in (("norms", "median norm"), ("signs", "raised")):
        person.click(panel.page_choice.button(key))
        person.wait(lambda said=said: said in panel.subtitle)
    # other settings than those that the curves were made with
    person.type("robustness", "steps", "5")
    person.wait(panel.other.isVisible)
    assert person.notices() == []


def test_the_settings_of_transfer_fold_out_below_its_command(open_lab):
    person = open_lab(spec=SMALL, start=False)
    window = person.window
    window.docks.show_panel("relations")
    person.click(window.docks.relations.settings)
    assert window.rail.current == "entangle"
    assert person.form("transfer").isVisible() and window.editor.spec.transfer.pgd
