"""The list of all attacks: complete, in groups, each with its source."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import pytest

from engine.catalogue import attacks, details, summary
from engine.cli import main
from engine.specs import PgdSpec, Spec, parameters, variants

EVERY = attacks()


def test_every_attack_is_listed_once_and_families_stand_together() -> None:
    assert sorted(attack.method for attack in EVERY) == sorted(variants("attack"))
    families = [attack.family for attack in EVERY]
    changes = sum(a != b for a, b in itertools.pairwise(families))
    assert changes == len(set(families)) - 1
    assert len({attack.title for attack in EVERY}) == len(EVERY)


@pytest.mark.parametrize("attack", EVERY, ids=lambda attack: attack.method)
def test_every_attack_says_what_it_does_and_who_found_it(attack) -> None:  # type: ignore[no-untyped-def]
    cls = variants("attack")[attack.method]
    assert attack.title == cls.title
    assert attack.help == summary(cls)
    assert attack.help.endswith(".")
    assert len(attack.help) < 260, "it is read at a glance: more belongs in a further paragraph"
    assert attack.source, f"{cls.__name__}: the first paragraph names its source, as in (Madry et al. 2018)"
    assert attack.parameters == parameters(cls)
    assert not {"title", "family", "minimal", "gradient_free"} & set(cls.model_fields)


def test_pgd_is_described_as_its_spec_says() -> None:
    (pgd,) = (attack for attack in EVERY if attack.method == "pgd")
    assert (pgd.title, pgd.source) == ("PGD", "Madry et al. 2018")
    assert [value for value, _ in pgd.norms] == ["Linf", "L2", "L1"]
    assert not pgd.minimal
    assert not pgd.gradient_free


def test_the_first_paragraph_is_the_help_and_the_rest_are_details() -> None:
    class Talkative(Spec):
        """One
        sentence (Someone 2020).

        And more.
        """

    assert summary(Talkative) == "One sentence (Someone 2020)."
    assert details(Talkative) == "And more."
    assert details(PgdSpec) == ""


def test_the_command_line_lists_every_attack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attacks"]) == 0
    said = capsys.readouterr().out
    for attack in EVERY:
        assert f"attack.method={attack.method}" in said
        assert said.count(attack.family) >= 1
    assert "random_start" not in said, "the settings of one are asked for by its name"
    assert "main.py attacks NAME" in said


@pytest.mark.parametrize("attack", EVERY, ids=lambda attack: attack.method)
def test_an_attack_is_shown_with_every_parameter(attack, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert main(["attacks", attack.method]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert attack.title in said
    assert f"Source: {attack.source}." in said
    assert attack.help in said
    assert attack.details in said
    for p in attack.parameters:
        default = str(p.default).lower() if isinstance(p.default, bool) else str(p.default) or '""'
        assert f"attack.{p.name} = {default} " in said
        assert p.help in said
        assert p.range_text in said
        assert p.unit in said
        assert all(name in said for _, name in p.choices)


def test_an_attack_is_found_by_its_title_too_and_a_name_of_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attacks", "c&w"]) == 0
    assert "attack.method=cw" in capsys.readouterr().out
    assert main(["attacks", "pdg"]) == 2
    assert "There is no attack 'pdg'. Did you mean pgd?" in " ".join(capsys.readouterr().err.split())


def test_one_attack_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attacks", "pgd", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == next(attack for attack in EVERY if attack.method == "pgd").as_json()


def test_the_list_as_json_holds_norms_parameters_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attacks", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [each["method"] for each in said] == [attack.method for attack in EVERY]
    pgd = next(each for each in said if each["method"] == "pgd")
    assert pgd["source"] == "Madry et al. 2018"
    assert pgd["norms"] == ["Linf", "L2", "L1"]
    steps = next(each for each in pgd["parameters"] if each["name"] == "steps")
    assert (steps["default"], steps["allowed"]) == (40, ">= 1, <= 10000")


def test_the_lists_that_the_window_shows_load_no_torch() -> None:
    code = "import sys, engine.catalogue, engine.presets; engine.presets.attack_presets(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
