"""The rail at the left: the eight steps of the work, in order, with a tick at each whose result is there and current."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import QButtonGroup, QFrame, QScrollArea, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui.icons import icon, pixmap
from gui.theme import Theme


@dataclass(frozen=True)
class Step:
    """One step of the rail."""

    key: str
    label: str
    help: str


STEPS: tuple[Step, ...] = (
    Step("data", "Data", "Where the samples come from"),
    Step("model", "Model", "The network and its initialisation"),
    Step("train", "Train", "How the network is trained"),
    Step("attack", "Attack", "How adversarial samples are made"),
    Step("entangle", "Entangle", "What is measured on the features"),
    Step("sweep", "Sweep", "The same at many settings: one network a point"),
    Step("compare", "Compare", "Two runs side by side"),
    Step("report", "Report", "A report to read and to pass on"),
)


class Rail(QWidget):
    """Chooses a step: by click, by its number, or with the arrow keys."""

    step_chosen = Signal(str)

    def __init__(self, theme: Theme, steps: tuple[Step, ...] = STEPS, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Steps")
        self._buttons: dict[str, _StepButton] = {}
        self._group = QButtonGroup(self, exclusive=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for number, step in enumerate(steps, 1):
            button = _StepButton(step, number)
            button.clicked.connect(self._on_clicked)
            QShortcut(QKeySequence(str(number)), self, button.click)
            self._group.addButton(button)
            self._buttons[step.key] = button
            column.addWidget(button)
        column.addStretch(1)
        self.set_theme(theme)
        self.set_current(steps[0].key)

    @property
    def current(self) -> str:
        """The key of the step shown."""
        return next(key for key, button in self._buttons.items() if button.isChecked())

    def set_current(self, key: str) -> None:
        """Highlight a step, emitting nothing. Raises KeyError for a step that is not there."""
        self._buttons[key].setChecked(True)

    def set_done(self, key: str, done: bool) -> None:
        """Tick a step, or take the tick away when its result is out of date."""
        self._buttons[key].set_done(done)

    def is_done(self, key: str) -> bool:
        return self._buttons[key].done

    def button(self, key: str) -> QToolButton:
        """The button of a step."""
        return self._buttons[key]

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons."""
        self.setFixedWidth(max(64, round(66 * theme.scale)))
        for button in self._buttons.values():
            button.set_theme(theme)

    @Slot()
    def _on_clicked(self) -> None:
        self.step_chosen.emit(self.current)


class _StepButton(QToolButton):
    def __init__(self, step: Step, number: int) -> None:
        super().__init__(checkable=True, autoRaise=True, objectName="railStep", text=step.label)
        self.step = step
        self.done = False
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(20, 20))
        self.setToolTip(f"{step.help} ({number})")
        self.setWhatsThis(step.help)
        self.setAccessibleName(step.label)
        policy = self.sizePolicy()
        policy.setHorizontalPolicy(policy.Policy.Expanding)
        self.setSizePolicy(policy)

    def set_done(self, done: bool) -> None:
        self.done = done
        self.setAccessibleDescription("done" if done else "")
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setIcon(icon(self.step.key, theme))
        font = theme.font(theme.small)
        self.setFont(font)

    def paintEvent(self, event: Any) -> None:
        super().paintEvent(event)
        if self.done:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(self.width() - 19, 5, 13, 13, pixmap("check", self._theme.success, 32))
            painter.end()


class Tall(QScrollArea):
    """A widget as wide as it wants, that scrolls where the window is too low for it."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # the wheel and the keys do
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setWidget(widget)

    def sizeHint(self) -> QSize:
        return QSize(self.widget().minimumWidth(), self.widget().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.widget().minimumWidth(), 80)
