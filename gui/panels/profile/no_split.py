"""What stands in place of the split of the layers while it is not measured."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

TEXT = (
    "Not measured yet. Each layer is split into its linear map, its bias and its activation, and each part's change of the "
    "rapidity of pairs is measured, on the trained network and on the one before training."
)
ASK, TIP = "Split every layer", "What the linear map, the bias and the activation of each layer do to pairs"


class NoSplit(QWidget):
    """A sentence, and the button that asks for the split."""

    def __init__(self) -> None:
        super().__init__()
        self.button = QPushButton(ASK)
        self.button.setProperty("role", "link")
        self.button.setToolTip(TIP)
        label = QLabel(TEXT, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        label.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 0, 24, 0)
        column.addStretch(1)
        column.addWidget(label)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
