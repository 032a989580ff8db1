"""The page on trainings can be reached, leads somewhere, and its commands are valid."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from engine.experiments import EXPERIMENTS
from engine.spec_files import apply_overrides, load_spec
from engine.specs import variants

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (python main\.py run .+)$", PAGE.replace("\\\n", " "), flags=re.M)


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md"])
def test_other_pages_lead_to_it(page: str) -> None:
    assert re.search(r"\]\((?:docs/)?training\.md\)", (ROOT / page).read_text(encoding="utf-8"))


def test_every_method_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `([\w-]+)` \|", PAGE, flags=re.M)) == set(variants("training"))


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_valid(command: str) -> None:
    parts = shlex.split(command)
    spec = load_spec(ROOT / parts[3])
    apply_overrides(spec, [parts[k + 1] for k, part in enumerate(parts) if part == "--set"])
    assert {parts[k + 1] for k, part in enumerate(parts) if part == "--experiment"} <= set(EXPERIMENTS)


def test_pictures_and_paths_that_are_named_exist() -> None:
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", PAGE):
        assert (ROOT / "docs" / picture).is_file(), picture
    for path in re.findall(r"`((?:engine|tests|benchmarks)/[\w/]+(?:\.py|/))", PAGE):
        assert (ROOT / path).exists(), path
