"""Every experiment has a page that says how to run it, shows pictures that exist, and leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.experiments import EXPERIMENTS, LOOKS
from engine.spec_files import apply_overrides, load_spec

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "experiments"
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")
PAGES = sorted(page.stem for page in FOLDER.glob("*.md") if page.stem != "README")
PARTS = ("The question.", "To run it.", "What is drawn.", "Control and interval.", "What it cannot say.")


def test_every_experiment_has_a_page_and_no_page_is_of_another() -> None:
    assert set(LOOKS) | {"train", "attack", "entangle"} <= set(PAGES) <= set(EXPERIMENTS)
    assert set(re.findall(r"\]\((\w+)\.md\)", INDEX)) - {"README"} == set(PAGES)
    assert "docs/experiments/README.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*PAGES, "README"])
def test_pictures_and_links_of_a_page_exist(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    for words, picture in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text):
        assert (FOLDER / picture).is_file(), picture
        assert len(words) > 40, words
    for link in re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", text):
        path, _, anchor = link.partition("#")
        assert (FOLDER / path).is_file(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", (FOLDER / path).read_text(encoding="utf-8"), flags=re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}, link


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_parts_in_order_and_a_valid_command(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    places = [text.index(f"**{part}**") for part in PARTS]
    assert places == sorted(places)
    command = next(line for line in text.splitlines() if line.startswith("    python main.py run "))
    assert command.split("--experiment ")[1].split()[0] == name
    spec = load_spec(ROOT / command.split()[3])
    apply_overrides(spec, re.findall(r"--set (\S+)", command))
    assert re.search(r"(?:19|20)\d\d", text) or name in ("repeats", "all_pairs", "price"), "a source"
