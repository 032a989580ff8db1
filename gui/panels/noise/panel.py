"""Deep linear networks on noise: the claim, the same claim by gradient descent, and the controls, a page each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        """A page by its key. It is made when it is first wanted: its many plots take a moment."""
        found = self._pages.get(key)
        if found is None:
            found = self._pages[key] = PAGES[key](self.theme)
            found.requested.connect(self.noise_requested)
            found.said.connect(self._say)
            found.arranged.connect(self._arrange)
            self._stacked.addWidget(found)
            self._row.set_widgets(
                [
                    self.page_choice,
                    self.tag,
                    self.other,
                    *(each for page in self._pages.values() for each in page.choices),
                ]
            )
            if found.topic in self._frames:
                found.show_frame(self._frames[found.topic])
        return found

    @property
    def page(self) -> NoisePage:
        """The page in front."""
        return self.page_of(self.page_choice.key())

    @Slot(str)
    def show_page(self, key: str) -> None:
        """Bring a page to the front."""
        self.page_choice.set_key(key)
        self._stacked.setCurrentWidget(self.page)
        self.page.freshen()
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
        for page in self._pages.values():
            if page.topic == frame.topic:
                page.show_frame(frame)
        self.show_page(self.page_choice.key())
        self.show_content()

    def clear(self) -> None:
        self._frames = {}
        for page in self._pages.values():
            page.clear()
        super().clear()

    @Slot()
    def _say(self) -> None:
        # descent is as it is taught everywhere: nothing is reconstructed there
        self.tag.setVisible(self.page_choice.key() != DESCENT)
        self.set_subtitle(self.page.summary)
        self._compare()
        self._arrange()

    @Slot()
    def _arrange(self) -> None:
        """Show the controls of the page in front that have a meaning now."""
        wanted = self.page.controls()
        for choice in (choice for page in self._pages.values() for choice in page.choices):
            if choice.isHidden() == (choice in wanted):
                choice.setVisible(choice in wanted)
        self._row.arrange()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.measure.set_theme(theme)
        self.page_choice.set_theme(theme)
        for page in self._pages.values():
            page.set_theme(theme)
        self.tag.set_theme(theme)
        self.other.set_theme(theme)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return self.page.plots() if self._frames and self.page.frame is not None else ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers of the page in front."""
        return () if self.is_empty else self.page.csv_rows()
