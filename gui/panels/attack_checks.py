"""May the attack's verdict be believed? What was looked for, what was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QPushButton, QTextBrowser, QWidget

from gui.panels.base import Panel
from gui.panels.results.page import norm_name
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

NAMES = {
    "randomised": "Randomised answers",
    "probabilities": "Probabilities for scores",
    "zero gradients": "Gradients that vanish",
    "inner optimisation": "Optimisation while answering",
    "changing computation": "Changing computation",
    "black box better": "Queries against gradients",
}
ACTIVE = "Planted weaknesses"


class ChecksPanel(Panel):
    """One line a check: a mark, its name, what was found. ``check_requested()`` asks for the checks to be made."""

    key = "checks"
    title = "Attack checks"
    tab = "Checks"
    topics = ("attack_checks",)
    empty_text = (
        "Not checked yet. “Check this attack” above looks for what makes attacks report too much robustness, and tries the "
        "attack of the Attack step on weaknesses planted for it."
    )

    check_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self.button = QPushButton("Check this attack")
        self.button.setProperty("role", "link")
        self.button.setToolTip("Look for misleading gradients, and test the attack on planted weaknesses")
        self.button.clicked.connect(self.check_requested)
        self.add_tool(self.button)
        self.browser = QTextBrowser(frameShape=QFrame.Shape.NoFrame)
        self.browser.setAccessibleName("Checks of the attack")
        self.set_body(self.browser)

    def show_frame(self, frame: Frame) -> None:
        self._frame_shown = frame
        info = frame.info
        words = (str(info["title"]), norm_name(str(info["norm"])), str(info["budget"]))
        self.set_subtitle(" · ".join(word for word in words if word))
        self._draw()
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = None
        self.browser.clear()
        super().clear()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if self._frame_shown is not None:
            self._draw()

    def findings(self) -> list[tuple[str, bool | None, str]]:
        """Each check as (name, whether there is something to worry about, or None where it says nothing; sentence)."""
        assert self._frame_shown is not None
        info = self._frame_shown.info
        found: list[tuple[str, bool | None, str]] = []
        active = info["active"]
        if active is not None:
            found.append((ACTIVE, active["weak"], f"{active['verdict']} {_figures(active)}"))
        elif info["why_not"]:
            found.append((ACTIVE, None, info["why_not"]))
        for flag in info["flags"]:
            found.append((NAMES.get(flag["name"], flag["name"]), bool(flag["raised"]), flag["sentence"]))
        return found

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        if self._frame_shown is None:
            return
        yield "check", "raised", "sentence"
        for name, raised, sentence in self.findings():
            yield name, "" if raised is None else int(raised), sentence

    def _draw(self) -> None:
        theme = self.theme
        marks = {True: ("▲", theme.warning), False: ("●", theme.success), None: ("○", theme.muted)}
        rows = []
        for name, raised, sentence in self.findings():
            mark, colour = marks[raised]
            rows.append(
                f'<tr><td style="color:{colour}; padding:5px 8px 5px 0">{mark}</td>'
                f'<td style="padding:5px 0"><b>{escape(name)}</b><br>{escape(sentence)}</td></tr>'
            )
        note = "A flag that stays down is no proof of robustness: only of what was looked for."
        self.browser.setHtml(
            f'<table style="color:{theme.text}" width="100%">{"".join(rows)}</table>'
            f'<p style="color:{theme.muted}">{note}</p>'
        )


def _figures(active: dict[str, Any]) -> str:
    """The active test's numbers in words."""
    if active["rate"] is None:
        return f"{active['planted']} of {active['samples']} could be planted."
    chance = f", {active['by_chance']} more left out because chance finds them" if active["by_chance"] else ""
    return (
        f"Found {active['found']} of {active['counted']}: {active['rate']:.0%} [{active['low']:.0%}, {active['high']:.0%}]; "
        f"{active['enough']:.0%} is asked for ({active['planted']} of {active['samples']} samples could be planted{chance})."
    )
