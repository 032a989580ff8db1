"""What a person is asked before a sweep is begun or stopped."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget


def ask_stop(window: QWidget, sentence: str) -> bool:
    """Ask whether the sweep that runs may be stopped for another one, telling how far it is."""
    box = QMessageBox(window)
    box.setIcon(QMessageBox.Icon.Question)
    box.setText("Stop the sweep that is under way?")
    box.setInformativeText(sentence)
    stop = box.addButton("Stop it", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.exec()
    return box.clickedButton() is stop


def ask_large(window: QWidget, sentence: str) -> bool:
    """Ask whether a large sweep is meant, telling its cost."""
    box = QMessageBox(window)
    box.setIcon(QMessageBox.Icon.Question)
    box.setText("Run a sweep of this size?")
    box.setInformativeText(f"{sentence} It can be paused and stopped at any time; what is finished is kept.")
    run = box.addButton("Run it", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    return box.clickedButton() is run
