"""The page on noise and reconciliation shows pictures that exist, leads somewhere, names what there is, and has the laws' numbers."""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path

import pytest

from docs import noise_pictures
from engine.experiments import EXPERIMENTS
from engine.reconcile import channel
from engine.reconcile.code import dimension

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "noise.md").read_text(encoding="utf-8")


def test_every_picture_is_shown_once_and_is_small() -> None:
    shown = re.findall(r"!\[[^\]]{40,}\]\(pictures/noise/(\w+)\.png\)", PAGE)
    assert sorted(shown) == sorted(noise_pictures.PICTURES)
    files = sorted(noise_pictures.FOLDER.iterdir())
    assert {file.name for file in files} == {f"{name}.png" for name in shown}
    for file in files:
        width, height = struct.unpack(">II", file.read_bytes()[16:24])
        assert width == 900 and 250 <= height <= 500, file.name
        assert file.stat().st_size < 80_000, file.name


def test_links_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, flags=re.M)
    known = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    wanted = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert len(wanted) > 5 and wanted <= known
    for page in ("README.md", "docs/theory.md", "docs/guide.md"):
        assert "noise.md" in (ROOT / page).read_text(encoding="utf-8"), page


def test_modules_examples_and_experiments_that_are_named_exist() -> None:
    assert set(re.findall(r"--experiment (\w+)", PAGE)) <= set(EXPERIMENTS)
    for path in re.findall(r"(engine/[\w/]+(?:\.py|/)|resources/[\w/.-]+\.toml)", PAGE):
        assert (ROOT / path).exists(), path
    known = {path.name for path in (ROOT / "engine").rglob("*.py")}
    for module in re.findall(r"`(\w+\.py)`", PAGE):
        assert module in known, module


@pytest.mark.parametrize("row", [0, 1], ids=["one half", "Shannon"])
def test_the_table_of_angles_is_that_of_the_law(row: int) -> None:
    head, _, *rows = re.search(r"(\| r \|.*?)\n\n", PAGE, flags=re.S)[1].splitlines()  # type: ignore[index]
    repetitions = [int(cell) for cell in head.split("|")[2:-1]]
    told = [float(cell.strip().rstrip("°")) for cell in rows[row].split("|")[2:-1]]
    n, t = 255, 18
    for repetition, angle in zip(repetitions, told, strict=True):
        known = (
            channel.half_angle(n=n, t=t, repetition=repetition)
            if row == 0
            else channel.shannon_angle(dimension(n, t) / (n * repetition))
        )
        assert angle == pytest.approx(math.degrees(known), abs=0.05), repetition
