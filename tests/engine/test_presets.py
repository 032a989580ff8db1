"""Attacks ready to use: every file builds, says why it is as it is, and a broken one is told in a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.errors import SpecError
from engine.presets import FOLDER, attack_presets, read_preset
from engine.specs import FgsmSpec, PgdSpec, variants

WHOLE = 'title = "T"\nreason = "R"\nsource = "Someone 2020"\n[attack]\nmethod = "pgd"\nsteps = 7\n'


def test_every_preset_builds_and_names_its_reason_and_a_dated_source() -> None:
    presets = attack_presets()
    assert {preset.key for preset in presets} == {path.stem for path in FOLDER.iterdir()}
    assert {"fgsm", "pgd"} <= {preset.spec.method for preset in presets}
    for preset in presets:
        assert "\n" not in preset.title + preset.reason
        assert len(preset.title) <= 40
        assert len(preset.reason) > 20
        assert not preset.reason.endswith(".")
        assert re.search(r"\b(19|20)\d\d\b", preset.source), preset.key


def test_no_two_presets_are_the_same() -> None:
    presets = attack_presets()
    assert len({preset.title for preset in presets}) == len(presets), "a title is told apart without its attack's name"
    assert len({preset.spec for preset in presets}) == len(presets)


def test_a_preset_tells_its_norm_its_budget_and_whose_it_is() -> None:
    """A title names the budget, unless what matters is something else; the data side of a line in a list."""
    presets = {preset.key: preset for preset in attack_presets()}
    told = {key: (presets[key].budget, presets[key].authors) for key in presets}
    assert told["apgd-2-targeted"] == ("L∞ 8/255", "Croce & Hein 2020")
    assert told["simba-dct-imagenet"] == ("L2 5", "after Guo et al. 2019")
    assert told["fmn-4-l0"] == ("smallest L0", "Pintor et al. 2021")
    assert told["fgsm-mnist"][0] == "L∞ 0.25"
    for preset in presets.values():
        assert preset.budget.split()[-2 if preset.spec.minimal else 0] in ("smallest", "L∞", "L2", "L1", "L0")
        if not preset.spec.minimal:
            assert preset.budget in preset.title, preset.key


def test_presets_of_one_attack_stand_together_in_the_order_of_the_attacks() -> None:
    methods = [preset.spec.method for preset in attack_presets()]
    order = list(variants("attack"))
    assert methods == sorted(methods, key=order.index)


def test_madrys_mnist_attack_is_the_published_one() -> None:
    (preset,) = (each for each in attack_presets() if each.key == "pgd-1-mnist-linf")
    assert preset.spec == PgdSpec(eps=0.3, alpha=0.01, steps=40, goal="untargeted")


def test_the_number_of_samples_stays_unless_the_preset_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(WHOLE)
    (tmp_path / "b.toml").write_text(WHOLE + "samples = 50\n")
    without, named = attack_presets(tmp_path)
    now = FgsmSpec(samples=17, eps=0.9)
    assert without.applied_to(now) == PgdSpec(steps=7, samples=17)
    assert named.applied_to(now) == PgdSpec(steps=7, samples=50)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("title = \n", "line 1"),
        (WHOLE.replace("title", "name"), "name is unknown"),
        (WHOLE.replace('reason = "R"\n', ""), "reason is missing"),
        (WHOLE.replace('"Someone 2020"', "3"), "source is missing"),
        (WHOLE.replace('"R"', '" "'), "reason is missing"),
        (WHOLE.replace('method = "pgd"\n', ""), "The attack is missing"),
        (WHOLE.partition("[attack]")[0], "The attack is missing"),
        (WHOLE.replace("7", "0"), "attack.steps is 0: must be at least 1"),
        (WHOLE.replace("pgd", "pdg"), "Did you mean pgd"),
    ],
)
def test_a_broken_preset_is_told_with_its_file(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(SpecError) as caught:
        read_preset(tmp_path / "mine.toml")
    assert "mine.toml" in str(caught.value)
    assert sentence in str(caught.value)
