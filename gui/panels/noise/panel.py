"""Deep linear networks on noise: the claim, the same claim by gradient descent, and the controls, a page each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.panels.noise.controls import ControlsPage
from gui.panels.noise.descent import DescentPage
from gui.panels.noise.facts import differences
from gui.panels.noise.likelihood import LikelihoodPage
from gui.panels.noise.page import NoisePage
from gui.panels.tag import OTHER, Tag
from gui.plots.controls import Segmented
from gui.plots.flow import FlowRow
from gui.plots.measure import MeasureButton
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.specs import ExperimentSpec

LIKELIHOOD, DESCENT, CONTROLS = "likelihood", "descent", "controls"
PAGES: dict[str, type[NoisePage]] = {LIKELIHOOD: LikelihoodPage, DESCENT: DescentPage, CONTROLS: ControlsPage}
TAG_TIP = (
    "The paper's MaxLikelihood network is known by abstracts alone. This one is our reconstruction: it need not be what its "
    "authors built."
)


class NoisePanel(Panel):
    """Three pages. ``noise_requested()`` asks for the measurement, ``settings_requested()`` for its settings."""

    key = "noise"
    title = "Linear networks and noise"
    tab = "Noise"
    topics = ("max_likelihood", "noise_descent")
    empty_text = (
        "Not measured yet. A deep linear network is fitted to random noise, and its loss on unseen noise vanishes. Why, and what "
        "that says, is seen beside it: our reconstruction of the MaxLikelihood network, gradient descent, and the controls."
    )

    noise_requested = Signal()
    settings_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._pages: dict[str, NoisePage] = {}
        self._spec: ExperimentSpec | None = None
        self._frames: dict[str, Frame] = {}  # the latest of each topic, for a page that is not made yet
        self.button, self.settings_button = QPushButton("Fit noise with a linear network"), QPushButton("Settings")
        for button, tip, asked in (
            (self.button, "The MaxLikelihood network layer by layer, then gradient descent", self.noise_requested),
            (self.settings_button, "Candidates, rows, depth and samples", self.settings_requested),
        ):
            button.setProperty("role", "link")
            button.setToolTip(tip)
            button.clicked.connect(asked)
            self.add_empty_action(button)
        self.tag = Tag("reconstruction", theme, TAG_TIP)
        self.other = Tag(OTHER, theme)
        self.other.hide()
        self.measure = MeasureButton(theme, self, self.button.text(), [("", "", self.noise_requested)])
        self.add_tool(self.measure)
        self.settings = self.header.add_button("settings", f"Settings: {self.title}", "Settings", first=True)
        self.settings.clicked.connect(self.settings_requested)
        self.page_choice = Segmented(
            theme,
            "Page",
            [
                (LIKELIHOOD, "MaxLikelihood", "The MaxLikelihood network, our reconstruction, layer by layer"),
                (DESCENT, "descent", "The same claim by gradient descent, beside random labels"),
                (CONTROLS, "controls", "What tells apart what the loss does not"),
            ],
        )
        self.page_choice.chosen.connect(self.show_page)
        self._stacked = QStackedWidget()
        self._stacked.addWidget(QWidget())  # while a page is being made
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self._row = FlowRow([self.page_choice, self.tag, self.other])
        column.addWidget(self._row)
        column.addWidget(self._stacked, 1)
        self.set_body(body)

    # --- pages -------------------------------------------------------------------------------------------------

    def page_of(self, key: str) -> NoisePage:
        """A page by its key, made now if it is not yet."""
        page = self._begun(key)
        page.finish()
        return page

    def _begun(self, key: str) -> NoisePage:
        """A page by its key, which may still be in the making."""
        if key not in self._pages:
            page = self._pages[key] = PAGES[key](self.theme)
            page.requested.connect(self.noise_requested)
            page.said.connect(self._say)
            page.arranged.connect(self._arrange)
            page.finished.connect(partial(self._on_made, key))
            page.setParent(self)
        return self._pages[key]

    def _on_made(self, key: str) -> None:
        page = self._pages[key]
        self._stacked.addWidget(page)
        choices = (each for made in self._made for each in made.choices)
        self._row.set_widgets([self.page_choice, self.tag, self.other, *choices])
        if page.topic in self._frames:
            page.show_frame(self._frames[page.topic])
        if key == self.page_choice.key():
            self._bring(page)

    @property
    def _made(self) -> list[NoisePage]:
        return [page for page in self._pages.values() if page.made]

    @property
    def page(self) -> NoisePage:
        """The page in front."""
        return self.page_of(self.page_choice.key())

    @Slot(str)
    def show_page(self, key: str) -> None:
        """Bring a page to the front, as soon as it is made."""
        self.page_choice.set_key(key)
        page = self._begun(key)
        if page.made:
            self._bring(page)
        else:
            self._stacked.setCurrentIndex(0)  # nothing for a moment
            page.go_on()
            self._say()

    def _bring(self, page: NoisePage) -> None:
        self._stacked.setCurrentWidget(page)
        page.freshen()
        self._say()

    # --- settings ----------------------------------------------------------------------------------------------

    def set_experiment(self, spec: ExperimentSpec) -> None:
        """The settings as they stand."""
        self._spec = spec
        self._compare()

    def _compare(self) -> None:
        """Say where what is shown was made with other settings than those that stand now."""
        frame = self._frames.get(PAGES[self.page_choice.key()].topic)
        self.other.say_made_with(differences(frame, self._spec) if frame is not None and self._spec is not None else [])
        self._row.arrange()

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frames[frame.topic] = frame
        for page in self._made:
            if page.topic == frame.topic:
                page.show_frame(frame)
        self.show_page(self.page_choice.key())
        self.show_content()

    def clear(self) -> None:
        self._frames = {}
        for page in self._made:
            page.clear()
        super().clear()

    @Slot()
    def _say(self) -> None:
        # descent is as it is taught everywhere: nothing is reconstructed there
        self.tag.setVisible(self.page_choice.key() != DESCENT)
        page = self._begun(self.page_choice.key())
        self.set_subtitle(page.summary)
        self._compare()
        self._arrange()

    @Slot()
    def _arrange(self) -> None:
        """Show the controls of the page in front that have a meaning now."""
        page = self._begun(self.page_choice.key())
        wanted = page.controls() if page.made else []
        for choice in (choice for made in self._made for choice in made.choices):
            if choice.isHidden() == (choice in wanted):
                choice.setVisible(choice in wanted)
        self._row.arrange()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.measure.set_theme(theme)
        self.page_choice.set_theme(theme)
        for page in self._pages.values():
            page.finish()
            page.set_theme(theme)
        self.tag.set_theme(theme)
        self.other.set_theme(theme)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return self.page.plots() if self._frames and self.page.frame is not None else ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers of the page in front."""
        return () if self.is_empty else self.page.csv_rows()
