"""Texts of the Help menu, and the small window that shows them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from engine.paths import RESOURCES
from gui.actions import Actions

PAPER = (
    "Y. Lai, X. Dong, Z. Jin, *On the Computational Entanglement of Distant Features in Adversarial Machine Learning*, "
    "[arXiv 2309.15669](https://arxiv.org/abs/2309.15669)"
)


def show_text(parent: QWidget, title: str, markdown: str) -> QDialog:
    """Show a text in a window of its own; Esc closes it."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.resize(680, 620)
    browser = QTextBrowser(openExternalLinks=True)
    browser.setAccessibleName(title)
    browser.setMarkdown(markdown)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    column = QVBoxLayout(dialog)
    column.addWidget(browser)
    column.addWidget(buttons)
    dialog.show()
    return dialog


def guide_text() -> str:
    """The user's guide."""
    return (RESOURCES / "help" / "guide.md").read_text(encoding="utf-8")


def about_text() -> str:
    """Version, and what the program stands on."""
    try:
        number = version("rapidity-lab")
    except PackageNotFoundError:
        number = "not installed"
    return (
        f"# Rapidity Lab\n\nVersion {number}\n\nA laboratory for computational entanglement in adversarial machine learning. "
        f"It is a reconstruction after\n\n{PAPER}\n\nand puts every curve beside its control. The paper's own definitions were "
        "not available in full: what had to be chosen here says so where it shows.\n\n"
        "Built on PyTorch, Qt for Python, pyqtgraph, NumPy, SciPy and scikit-learn. The handwritten digits are those of "
        "E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository, as scikit-learn embeds them."
    )


def keys_text(actions: Actions) -> str:
    """Every key of the window."""
    rows = "\n".join(f"| {keys} | {help} |" for keys, help in actions.key_list())
    return f"| Key | What it does |\n|---|---|\n{rows}\n| 1 … 7 | Choose a step of the rail |\n"
