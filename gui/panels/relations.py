"""Relations that the claims rest on: contraction and vulnerability, similarity and transfer, over a fleet of networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.panels.page import Page
from gui.panels.related.transfer import TransferPage
from gui.panels.related.vulnerability import VulnerabilityPage
from gui.plots.controls import Segmented
from gui.plots.measure import MeasureButton
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

VULNERABILITY, TRANSFER = "vulnerability", "transferability"


class RelationsPanel(Panel):
    """Two pages. ``vulnerability_requested()`` and ``transferability_requested()`` ask for them to be measured."""

    key = "relations"
    title = "Relations"
    topics = (VULNERABILITY, TRANSFER)
    empty_text = (
        "Not measured yet. Over a fleet of networks of many shapes: do those that bring classes together break sooner, and do "
        "those that are alike pass attacks on?"
    )

    vulnerability_requested = Signal()
    transferability_requested = Signal()
    settings_requested = Signal()  # of transfer

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self.vulnerability, self.transfer = VulnerabilityPage(theme), TransferPage(theme)
        self._pages: dict[str, Page] = {VULNERABILITY: self.vulnerability, TRANSFER: self.transfer}
        self.vulnerability.requested.connect(self.vulnerability_requested)
        self.transfer.requested.connect(self.transferability_requested)
        self.vulnerability.sample_chosen.connect(selection.set_sample)
        selection.sample_changed.connect(self._show_sample)
        self.vulnerability_button = QPushButton(VulnerabilityPage.button_text)
        self.transfer_button = QPushButton(TransferPage.button_text)
        for button, asked in (
            (self.vulnerability_button, self.vulnerability_requested),
            (self.transfer_button, self.transferability_requested),
        ):
            button.setProperty("role", "link")
            button.clicked.connect(asked)
            self.add_empty_action(button)
        self.vulnerability_button.setToolTip("Smallest perturbation against contraction, over networks and inputs")
        self.transfer_button.setToolTip("Transfer between networks against how alike they are")
        entries = [
            (
                VulnerabilityPage.button_text,
                self.vulnerability_button.toolTip(),
                self.vulnerability_requested,
            ),
            (TransferPage.button_text, self.transfer_button.toolTip(), self.transferability_requested),
        ]
        self.measure = MeasureButton(theme, self, "Measure relations", entries)
        self.add_tool(self.measure)
        self.settings = self.header.add_button("settings", "Settings: transfer", "Settings of transfer", first=True)
        self.settings.clicked.connect(self.settings_requested)
        self.page_choice = Segmented(
            theme,
            "Page",
            [
                (VULNERABILITY, "vulnerability", "Smallest perturbation against contraction"),
                (TRANSFER, "transfer", "Transfer between networks against their similarity"),
            ],
        )
        self.page_choice.chosen.connect(self._on_page)
        self._stacked = QStackedWidget()
        for page in self._pages.values():
            page.said.connect(self._say)
            self._stacked.addWidget(page)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        controls = QHBoxLayout()
        controls.setSpacing(8)
        controls.addWidget(self.page_choice, 0, Qt.AlignmentFlag.AlignTop)
        for page in self._pages.values():
            controls.addWidget(page.row, 1, Qt.AlignmentFlag.AlignTop)
        controls.addStretch(0)
        column.addLayout(controls)
        column.addWidget(self._stacked, 1)
        self.set_body(body)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        page = self._pages[frame.topic]
        fresh = page.frame is None
        page.show_frame(frame)
        if fresh and self.page.frame is None:
            self.show_page(frame.topic)
        self._say()
        self.show_content()

    def clear(self) -> None:
        for page in self._pages.values():
            page.clear()
        super().clear()

    @property
    def page(self) -> Page:
        """The page in front."""
        return self._pages[self.page_choice.key()]

    def show_page(self, topic: str) -> None:
        """Bring a page to the front."""
        self.page_choice.set_key(topic)
        self._stacked.setCurrentWidget(self._pages[topic])
        self._say()

    @Slot(str)
    def _on_page(self, topic: str) -> None:
        self.show_page(topic)

    @Slot()
    def _say(self) -> None:
        for page in self._pages.values():
            page.row.setVisible(page is self.page and page.frame is not None)
        self.set_subtitle(self.page.summary)

    @Slot(object)
    def _show_sample(self, sample: int | None) -> None:
        self.vulnerability.show_sample(sample)

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.measure.set_theme(theme)
        self.page_choice.set_theme(theme)
        for page in self._pages.values():
            page.set_theme(theme)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return self.page.plots() if self.page.frame is not None else ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers of the page in front."""
        return () if self.is_empty else self.page.csv_rows()
