"""The page on attacks says what the specs say, and shows every attack."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from docs import attack_pictures, attack_tables
from docs.attack_course import Lab
from engine.catalogue import attacks
from engine.data import Dataset
from engine.models import build
from engine.specs import MlpSpec, variants

ROOT = Path(__file__).resolve().parents[1]
METHODS = list(variants("attack"))
PAGE = attack_tables.PAGE.read_text(encoding="utf-8")
MARK = re.compile(r"<!-- settings of (\S+) -->")
SECTIONS = {MARK.findall(part)[0]: part for part in re.split(r"^### ", PAGE, flags=re.M)[1:]}
PICTURES = attack_pictures.FOLDER
MOST_BYTES, MOST_TOGETHER = 40_000, 1_500_000


def test_the_tables_are_those_of_the_specs() -> None:
    assert attack_tables.rewritten(PAGE) == PAGE, "run python -m docs.attack_tables"


def test_a_table_that_is_not_as_the_specs_say_is_rewritten() -> None:
    old = PAGE.replace("| `0.75` |", "| `0.5` |")
    assert old != PAGE
    assert attack_tables.rewritten(old) == PAGE


def test_every_attack_has_a_section_of_its_own() -> None:
    assert set(SECTIONS) == set(METHODS)
    assert sorted(MARK.findall(PAGE)) == sorted([attack_tables.ALL, *METHODS])


@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.method)
def test_a_section_has_title_picture_and_source(attack: object) -> None:
    section = SECTIONS[attack.method]
    assert section.startswith(f"{attack.title}\n")
    assert f"](pictures/attacks/{attack.method}.png)" in section
    sources = section.split("**Source.** ")[1].split("\n\n")[0]
    for year in re.findall(r"\b(?:19|20)\d\d\b", attack.source):
        assert year in sources


@pytest.mark.parametrize("method", METHODS)
def test_a_picture_is_small_and_of_one_size(method: str) -> None:
    data = (PICTURES / f"{method}.png").read_bytes()
    assert len(data) < MOST_BYTES
    assert struct.unpack(">II", data[16:24]) == (900, 260)


def test_there_is_no_picture_of_an_attack_that_there_is_not() -> None:
    files = sorted(PICTURES.iterdir())
    assert {file.stem for file in files} == set(METHODS)
    assert sum(file.stat().st_size for file in files) < MOST_TOGETHER


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, flags=re.M)
    known = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    wanted = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert len(wanted) > 20
    assert wanted <= known


@pytest.mark.parametrize("method", METHODS)
def test_the_settings_of_every_picture_are_valid(method: str) -> None:
    assert attack_pictures.spec_of(method).method == method


@pytest.mark.parametrize("method", ["fgsm", "mi", "ddn", "sequence"])
def test_a_picture_can_be_taken(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On untrained networks and few random images."""
    draw = torch.Generator().manual_seed(0)
    x = torch.rand(12, 1, 8, 8, generator=draw)
    y = torch.arange(12) % 3
    dataset = Dataset("random", x, y, x, y, ("0", "1", "2"), (0.0, 1.0))
    one, other = (build(MlpSpec(depth=1, width=8), dataset, seed) for seed in (1, 2))
    lab = Lab(dataset, one, other, x, one(x).argmax(1), (x, y))
    short = {"steps": 3} if method in ("ddn", "mi") else {"steps": 3, "queries": 3} if method == "sequence" else {}
    case = attack_pictures.CASES[method]
    monkeypatch.setitem(
        attack_pictures.CASES, method, attack_pictures.Case({**case.settings, **short}, case.draw, case.extra)
    )
    picture = attack_pictures.take(lab, method)
    assert struct.unpack(">II", picture[16:24]) == (900, 260)
    assert picture == attack_pictures.take(lab, method)


def test_the_example_of_using_attacks_alone_runs() -> None:
    code = PAGE.split("```python\n")[1].split("```")[0]
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("0 ")
    assert re.fullmatch(r"\d+% broken, [\d.]+ forward passes a sample", lines[-1])
    assert int(lines[-1].split("%")[0]) > 0
