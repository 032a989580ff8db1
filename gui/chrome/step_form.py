"""The form column: what the current step does, its settings, and one big button that does it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui.forms.folded import Folded
from gui.forms.form import SpecForm
from gui.panels.header import CardHeader
from gui.panels.help import HelpPopover
from gui.theme import Theme

WIDTH = 268


def link(action: QAction) -> QPushButton:
    """A quiet button that does what a command does, and can be pressed when that can."""
    button = QPushButton(action.text())
    button.setProperty("role", "link")
    button.setToolTip(action.toolTip())
    button.setAccessibleName(action.text())
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    return button


class StepForm(QWidget):
    """The card of one step: forms, or any widget, above a primary and a secondary button."""

    action_requested = Signal()
    run_all_requested = Signal()

    def __init__(self, key: str, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        """``key`` names the help text, ``resources/help/step-<key>.md``."""
        super().__init__(parent)
        self.key = key
        self._title = title
        self._theme = theme
        self._enabled = True
        self._tip = ""
        self._popover: HelpPopover | None = None
        self.forms: list[SpecForm] = []
        self.folded: dict[str, Folded] = {}  # by the part that its form edits
        self._unfolded: Folded | None = None  # the last that was folded out
        self._unfolding = QTimer(self, interval=0, singleShot=True)  # until it has its height
        self._unfolding.timeout.connect(self._scroll_to_unfolded)
        self.setAccessibleName(title)

        self.header = CardHeader(title, theme)
        self.help_button = self.header.add_button("help", f"What is this step? {title}", "What is this step?")
        self.help_button.clicked.connect(self.show_help)

        self._scrolled = QWidget(objectName="scrolled")
        self._content = QVBoxLayout(self._scrolled)
        self._content.setContentsMargins(0, 2, 0, 8)
        self._content.setSpacing(10)
        self._description = QLabel(wordWrap=True, visible=False)
        self._description.setProperty("role", "small")
        self._content.addWidget(self._description)
        self._content.addStretch(1)
        area = self._area = QScrollArea(
            widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self._scrolled)

        self._note = QLabel(wordWrap=True, visible=False)
        self._note.setProperty("role", "small")
        self.action_button = QPushButton(title)
        self.action_button.setProperty("role", "primary")
        self.action_button.clicked.connect(self._on_action)
        self.run_all_button = QPushButton("Run everything")
        self.run_all_button.setToolTip("Data, training, attack and measurement in one run")
        self.run_all_button.setAccessibleName("Run everything")
        self.run_all_button.clicked.connect(self._on_run_all)

        body = QFrame(objectName="panelBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(theme.pad, 2, theme.pad, theme.pad)
        column.setSpacing(6)
        column.addWidget(area, 1)
        for widget in (self._note, self.action_button, self.run_all_button):
            column.addWidget(widget)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.header)
        outer.addWidget(body, 1)
        self.set_action(title)
        self.set_theme(theme)

    def add_form(self, form: SpecForm) -> None:
        """Put a form above what explains it. While one is not valid the buttons wait and say why."""
        self._take(form)
        self.add_widget(form)

    def add_folded(self, button: QPushButton, form: SpecForm) -> None:
        """Put a command below the description, with a form of its own that folds out below it."""
        self._take(form)
        folded = self.folded[form.part] = Folded(button, form, self._theme)
        folded.toggle.toggled.connect(partial(self._show_folded, folded))
        self.add_below(folded)

    def _take(self, form: SpecForm) -> None:
        self.forms.append(form)
        form.validity_changed.connect(self._offer)
        form.built.connect(self._align)
        self._align()
        self._offer()

    def add_widget(self, widget: QWidget) -> None:
        """Put any widget below the forms that are there, above the description."""
        self._content.insertWidget(self._content.indexOf(self._description), widget)

    def add_below(self, widget: QWidget) -> None:
        """Put any widget below the description."""
        self._content.insertWidget(self._content.count() - 1, widget)

    def reveal(self, part: str) -> None:
        """Fold out the form of a part, bring it into view and put the keyboard there."""
        folded = self.folded[part]
        folded.open()
        folded.toggle.setFocus()
        self._show_folded(folded)

    def _show_folded(self, folded: Folded, is_open: bool = True) -> None:
        """Bring settings into view: those that fold out near the lower end would be below it."""
        if is_open:
            self._unfolded = folded
            self._unfolding.start()

    @Slot()
    def _scroll_to_unfolded(self) -> None:
        folded = self._unfolded
        if folded is None:
            return
        if folded.height() > self._area.viewport().height():
            self._area.verticalScrollBar().setValue(folded.y())  # from its command on
        else:
            self._area.ensureWidgetVisible(folded, 0, 8)

    def set_subtitle(self, text: str) -> None:
        """The quiet half of the header, as the name of the method chosen."""
        self.header.subtitle.set_text(text)

    def set_description(self, text: str) -> None:
        """What the chosen variant does, in a few lines; :func:`gui.forms.form.description` gives a spec's own."""
        self._description.setText(text)
        self._description.setVisible(bool(text))

    def set_action(self, label: str, *, enabled: bool = True, tip: str = "", run_all: bool = True) -> None:
        """The big button: what it says, whether it can be pressed, and why not. ``run_all`` shows the second one."""
        self._enabled = enabled
        self._tip = tip
        self.action_button.setText(label)
        self.action_button.setAccessibleName(label)
        self.run_all_button.setVisible(run_all)
        self._offer()

    def set_note(self, text: str) -> None:
        """A quiet line above the big button, as the size of the network or why it waits."""
        self._given_note = text
        self._offer()

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons, here and in the forms."""
        self._theme = theme
        self.setFixedWidth(round(WIDTH * max(1.0, theme.scale)))
        self.header.set_theme(theme)
        for form in self.forms:
            form.set_theme(theme)
        for folded in self.folded.values():
            folded.set_theme(theme)

    def commit(self) -> bool:
        """Take what is still being typed in any form. Gives whether everything is valid."""
        valid = [form.commit() for form in self.forms]  # every form, not only up to the first that is not valid
        return all(valid)

    @Slot()
    def show_help(self) -> None:
        """Open the text that explains the step."""
        if self._popover is None:
            self._popover = HelpPopover(self)
        self._popover.show_text(f"step-{self.key}", self._title, self._theme, self.help_button)

    _given_note = ""

    @Slot()
    def _offer(self) -> None:
        valid = all(form.is_valid for form in self.forms)
        self.action_button.setEnabled(self._enabled and valid)
        self.run_all_button.setEnabled(self._enabled and valid)
        note = self._given_note if valid else "Mend the field marked above first."
        self.action_button.setToolTip(self._tip if valid else note)
        self._note.setText(note)
        self._note.setVisible(bool(note))

    @Slot()
    def _align(self) -> None:
        width = max(form.label_width for form in self.forms)
        for form in self.forms:
            form.align(width)

    @Slot()
    def _on_action(self) -> None:
        if self.commit():
            self.action_requested.emit()

    @Slot()
    def _on_run_all(self) -> None:
        if self.commit():
            self.run_all_requested.emit()
