"""The page on robustness shows pictures that exist, leads somewhere, and names what there is."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from docs import robustness_pictures
from engine.experiments import EXPERIMENTS
from engine.experiments.robustness.signs import LEVEL, LOOKED_AT, MATTERS, RESTARTS, TIMES

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "robustness.md").read_text(encoding="utf-8")


def test_every_picture_is_shown_once_and_is_small() -> None:
    shown = re.findall(r"!\[[^\]]{40,}\]\(pictures/robustness/(\w+)\.png\)", PAGE)
    assert sorted(shown) == sorted(robustness_pictures.PICTURES)
    files = sorted(robustness_pictures.FOLDER.iterdir())
    assert {file.name for file in files} == {f"{name}.png" for name in shown}
    for file in files:
        width, height = struct.unpack(">II", file.read_bytes()[16:24])
        assert width == 900 and 250 <= height <= 500, file.name
        assert file.stat().st_size < 80_000, file.name


def test_links_and_files_that_are_named_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, flags=re.M)
    known = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    wanted = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert len(wanted) > 5 and wanted <= known
    for path in re.findall(r"\]\(([\w/]+\.md)\)", PAGE):
        assert (ROOT / "docs" / path).exists(), path
    for path in re.findall(r"((?:resources|tests)/[\w/.-]+\.(?:toml|py))", PAGE):
        assert (ROOT / path).exists(), path
    assert set(re.findall(r"--experiment (\w+)", PAGE)) <= set(EXPERIMENTS)
    assert "robustness.md" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_rules_of_the_signs_are_those_of_the_lab() -> None:
    assert f"up to\n{LOOKED_AT} of those" in PAGE and f"p < {LEVEL:g}" in PAGE and f"above {MATTERS:.0%}" in PAGE
    assert TIMES == (1, 2, 4) and RESTARTS == 10 and "samples that ten starts break" in PAGE
