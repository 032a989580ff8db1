"""The page on the theory shows pictures that exist, leads somewhere, and names what the program has."""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from docs import theory_networks, theory_pictures
from engine.experiments import EXPERIMENTS
from engine.experiments.bell_views import CLASSICAL
from engine.experiments.claims import CLAIMS
from engine.geometry.ceiling import ceiling
from engine.geometry.nulls import relu
from engine.geometry.nulls.gaussian_chain import gap
from engine.geometry.transitions import doppler_boost, einstein_boost, gram_boost
from engine.spec_files import apply_overrides, dump_spec, load_spec
from engine.specs import MlpSpec

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "theory.md"
PAGE = FILE.read_text(encoding="utf-8")
PICTURES = theory_pictures.FOLDER
MOST_BYTES, MOST_TOGETHER = 80_000, 500_000


def test_every_picture_is_shown_once_and_is_small() -> None:
    shown = re.findall(r"\]\(pictures/theory/(\w+)\.png\)", PAGE)
    assert sorted(shown) == sorted(theory_pictures.PICTURES)
    files = sorted(PICTURES.iterdir())
    assert {file.name for file in files} == {f"{name}.png" for name in shown}
    for file in files:
        width, height = struct.unpack(">II", file.read_bytes()[16:24])
        assert width == 900, file.name
        assert 250 <= height <= 450, file.name
        assert file.stat().st_size < MOST_BYTES, file.name
    assert sum(file.stat().st_size for file in files) < MOST_TOGETHER


def test_every_picture_says_in_words_what_it_shows() -> None:
    assert all(len(words) > 40 for words in re.findall(r"!\[([^\]]*)\]", PAGE))


def test_links_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, flags=re.M)
    known = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    wanted = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert len(wanted) > 10
    assert wanted <= known
    for page in ("README.md", "docs/guide.md", "docs/architecture.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert "theory.md" in text, page
        for link in re.findall(r"\]\(([^)#:]+?\.(?:md|png))\)", text):
            assert ((ROOT / page).parent / link).is_file(), f"{page}: {link}"


def test_modules_and_experiments_that_are_named_exist() -> None:
    named = set(re.findall(r"--experiment (\w+)", re.sub(r"\s+", " ", PAGE)))
    assert named >= {"takeover", "falsifier", "layers", "null", "repeats", "bell", "structure", "vulnerability"}
    assert named <= set(EXPERIMENTS)
    for module in re.findall(r"`(engine/[\w/]+(?:\.py|/))`", PAGE):
        assert (ROOT / module).exists(), module
    known = {path.name for path in (ROOT / "engine").rglob("*.py")}
    for module in re.findall(r"`(\w+\.py)`", PAGE):
        assert module in known, module


def test_the_settings_of_every_command_are_valid() -> None:
    spec = load_spec(theory_networks.EXAMPLE)
    changes = re.findall(r"--set (\S+=\S+)", re.sub(r"\s+", " ", PAGE))
    assert "attack.norm=L2" in changes
    dump_spec(apply_overrides(spec, list(dict.fromkeys(changes))))


def test_every_claim_that_is_tested_has_its_rule_on_the_page() -> None:
    rules = PAGE.split("## Claims and verdicts")[1].split("No verdict without")[0]
    rows = [line for line in rules.splitlines() if line.startswith("| ")]
    assert len(rows) - 1 == sum(claim.judge is not None for claim in CLAIMS)


def test_statements_are_marked_as_one_of_three_kinds() -> None:
    marks = re.findall(r"\*\*[^*]*\[(theorem|measurement|analogy)", PAGE)
    assert set(marks) == {"theorem", "measurement", "analogy"}
    assert len(marks) > 30


def test_the_numbers_of_theory_on_the_page_are_those_of_the_program() -> None:
    assert f"{ceiling('float32'):.1f} in float32" in PAGE
    assert f"{ceiling('float64'):.1f} in float64" in PAGE
    assert f"gap(16) = {float(gap(16)):.4f}, gap(128) = {float(gap(128)):.5f}" in PAGE
    c = 1 - 2 / (1 + np.exp(2 * relu.recursion(0.0, 100)))
    assert f"C is {c[1]:.3f} after one layer, {c[10]:.3f} after ten and {c[100]:.3f} after a hundred" in PAGE
    before, after = 0.0, 1.3169578969248166  # pi/2 to pi/6
    said = f"R gives {float(gram_boost(before, after).rapidity):.5f}, D {float(doppler_boost(before, after).rapidity):.5f}, "
    assert said + f"E {float(einstein_boost(before, after).rapidity):.5f}" in PAGE
    assert CLASSICAL == 2


@pytest.mark.parametrize("name", ["rapidity", "phases", "sawtooth", "chsh"])
def test_a_picture_can_be_taken_and_is_always_the_same(name: str) -> None:
    picture = theory_pictures.take(theory_pictures.THEORY[name])
    assert struct.unpack(">II", picture[16:24])[0] == 900
    assert picture == theory_pictures.take(theory_pictures.THEORY[name])


def test_networks_drawn_anew_begin_at_the_angle_and_differ() -> None:
    spec = MlpSpec(depth=3, width=16, init="he", normalise="none", bias=False)
    eta = theory_networks.drawn(spec, 1.0, 4, "activation")
    assert eta.shape == (4, 4)
    assert eta[:, 0] == pytest.approx(-math.log(math.tan(0.5)), abs=1e-6)
    assert len(set(eta[:, -1])) == 4


@pytest.mark.slow
def test_the_looks_that_pictures_need_can_be_taken(tmp_path: Path) -> None:
    """On a network that learns for a moment."""
    spec = load_spec(theory_networks.EXAMPLE)
    small = [
        "model.depth=2",
        "model.width=16",
        "training.epochs=2",
        "attack.samples=20",
        "attack.steps=3",
        "probe.samples=20",
    ]
    small += [
        "probe.reference=40",
        "probe.bootstrap=50",
        "controls.draws=2",
        "controls.repeats=2",
        "controls.memorised=20",
    ]
    path = tmp_path / "small.toml"
    path.write_text(dump_spec(apply_overrides(spec, small)), encoding="utf-8")
    seen = theory_networks.looked(spec_file=path)
    for name, draw in theory_pictures.MEASURED.items():
        picture = theory_pictures.take(lambda draw=draw: draw(seen))
        assert struct.unpack(">II", picture[16:24])[0] == 900, name
