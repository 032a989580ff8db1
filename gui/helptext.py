"""The texts behind every "What am I looking at?", read from ``resources/help``.

A text is Markdown. Its first lines may name what it is and where it is from::

    kind: theorem, measurement
    source: Poole et al. (2016), Exponential expressivity in deep neural networks

    The curve shows …
"""

from __future__ import annotations

from dataclasses import dataclass

from gui.theme import RESOURCES

KINDS = ("theorem", "measurement", "analogy")


@dataclass(frozen=True)
class Help:
    """One help text: what kinds of statement it makes, its source, and its body in Markdown."""

    kinds: tuple[str, ...]
    source: str
    body: str


def read_help(key: str) -> Help | None:
    """The help text of a panel or step, or None where none is written. Unknown head lines belong to the body."""
    path = RESOURCES / "help" / f"{key}.md"
    if not path.is_file():
        return None
    return parse_help(path.read_text(encoding="utf-8"))


def parse_help(text: str) -> Help:
    """Split a help text into its head lines and its body."""
    kinds: tuple[str, ...] = ()
    source = ""
    lines = text.splitlines()
    while lines:
        name, colon, value = lines[0].partition(":")
        if colon and name.strip().lower() == "kind":
            words = [word.strip().lower() for word in value.split(",")]
            kinds = tuple(word for word in words if word in KINDS)
        elif colon and name.strip().lower() == "source":
            source = value.strip()
        else:
            break
        lines.pop(0)
    return Help(kinds, source, "\n".join(lines).strip())
