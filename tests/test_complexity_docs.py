"""The page on complexity shows pictures that exist, names what there is, and has the law's numbers."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from docs import complexity_pictures
from engine.events import Frame
from engine.experiments import EXPERIMENTS
from engine.experiments.complexity.law import TIMES, WIDTHS
from engine.geometry.nulls.gaussian_chain import gap, gaussian_chain
from engine.spec_files import apply_overrides, load_spec

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "complexity.md").read_text(encoding="utf-8")


def test_every_picture_is_shown_once_and_is_small() -> None:
    shown = re.findall(r"!\[[^\]]{40,}\]\(pictures/complexity/(\w+)\.png\)", PAGE)
    assert sorted(shown) == sorted(complexity_pictures.PICTURES)
    files = sorted(complexity_pictures.FOLDER.iterdir())
    assert {file.name for file in files} == {f"{name}.png" for name in shown}
    for file in files:
        width, height = struct.unpack(">II", file.read_bytes()[16:24])
        assert width == 900 and 250 <= height <= 500, file.name
        assert file.stat().st_size < 80_000, file.name


def test_links_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, flags=re.M)
    known = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    wanted = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert len(wanted) > 4 and wanted <= known
    assert "complexity.md" in (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
    theory = (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
    for anchor in re.findall(r"theory\.md#([\w-]+)", PAGE):
        assert anchor in {h.lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", theory, flags=re.M)}


def test_the_command_is_valid() -> None:
    assert set(re.findall(r"--experiment (\w+)", PAGE)) <= set(EXPERIMENTS)
    changes = re.findall(r"--set (\S+=\S+)", PAGE)
    assert set(complexity_pictures.SETTINGS) == set(changes)
    apply_overrides(load_spec(complexity_pictures.EXAMPLE), changes)
    for path in re.findall(r"(engine/[\w/]+\.py|resources/[\w/.-]+\.toml)", PAGE):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("width", WIDTHS)
def test_the_table_of_cells_has_the_laws_numbers(width: int) -> None:
    row = next(line for line in PAGE.splitlines() if re.match(rf"\| {width} \| [\d.]+, [\d.]+, [+−]", line))
    told = [float(cell.split(",")[1]) for cell in row.split("|")[2:-1]]
    assert told == pytest.approx([round(width * times) * float(gap(width)) for times in TIMES], abs=6e-4)


def test_the_collapse_that_is_told_is_that_of_the_exact_chain() -> None:
    """At width 32 and s near 4, where the page says 0.0005 at most."""
    s, wide = 128 / 30.5, gaussian_chain([0.0], [64] * 263).size[0]
    exact = float(gaussian_chain([0.0], [32] * 128).size[0, -1])
    place = s * 62.5
    at = wide[int(place)] + (place - int(place)) * (wide[int(place) + 1] - wide[int(place)])
    assert abs(exact - at) == pytest.approx(0.0005, abs=1e-4)


def test_a_picture_can_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a frame of a few cells and networks."""
    cell = {
        "width": 8,
        "depth": 4,
        "proper_depth": 0.6,
        "ln_gamma": 0.3,
        "error": 0.03,
        "law": 0.31,
        "collapse": -0.004,
    }
    cell |= {"size": 0.7, "size_error": 0.04, "size_law": 0.71}
    most = {"z": 0.3, "p": 0.9, "cells": 1, "critical": 2.0}
    test = {"name": "change ~ parameters", "label": "Parameters and boost", "rho": 0.1, "p": 0.5, "holm": 1.0}
    arrays = {name: complexity_pictures.torch.arange(1.0, 5).numpy() for name in ("depth", "parameters", "change")}
    drawn = [{"width": 8, "depth": d, "change": 0.1 * d, "error": 0.01, "law": None, "kind": ""} for d in (1, 2)]
    info = {
        "law": {"cells": [cell], "largest": most},
        "untrained": drawn,
        "statistics": [test | {"low": -0.2, "high": 0.4}],
    }
    frame = Frame("complexity", "measure", 0, arrays | {"initial_change": arrays["change"] / 2}, info)
    for name, draw in complexity_pictures.PICTURES.items():
        picture = complexity_pictures.take(lambda draw=draw: draw(frame))
        assert struct.unpack(">II", picture[16:24])[0] == 900, name
