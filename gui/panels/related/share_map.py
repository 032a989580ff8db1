"""Heat maps of shares over pairs of networks, each cell with its number, and how several of them are laid out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from gui.plots.celltexts import CellTexts
from gui.plots.heatmap import HeatMap
from gui.plots.images import indices, table
from gui.plots.plot import pen
from gui.theme import Theme

SHARES = ((0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1"))
PERCENT = ((0.0, "0%"), (0.25, "25%"), (0.5, "50%"), (0.75, "75%"), (1.0, "100%"))
ROOM = 120  # pixels by which a map must be wider than high for its rows to have names


class ShareMap(HeatMap):
    """Shares from 0 to 1 with numbered rows and columns; where it is much wider than high, the rows have names as well.

    ``ticks`` are those of its colour bar, in the unit of its cells' texts.
    """

    def __init__(self, theme: Theme, ticks: Sequence[tuple[float, str]] = SHARES) -> None:
        self._cell_frame = pg.PlotCurveItem(antialias=False)
        self._texts_of_cells = CellTexts(theme)
        self._row_names: tuple[str, ...] = ()
        super().__init__(theme, ticks, "viridis", blank=True)
        for item, z in ((self._cell_frame, 3), (self._texts_of_cells, 1.5)):
            item.setZValue(z)
            self.addItem(item, ignoreBounds=True)

    def show_shares(self, values: np.ndarray, names: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
        """Shares [n, n], NaN where one is not known; the name of each row, and the text of each cell."""
        self.set_values(values)
        self.set_blocks(list(range(len(names))), [str(k + 1) for k in range(len(names))])
        self._row_names = tuple(f"{k + 1} · {name}" for k, name in enumerate(names))
        self._name_rows()
        light = table("viridis").astype(float) @ np.array([0.299, 0.587, 0.114]) > 140
        self._texts_of_cells.set_texts(texts, light[indices(values, 0.0, 1.0)].tolist())

    def mark_cell(self, cell: tuple[int, int] | None) -> None:
        """Frame a cell (row, column), just along its edge: its neighbours have texts."""
        if cell is None:
            self._cell_frame.setData([], [])
        else:
            r, c = cell
            self._cell_frame.setData([c, c + 1, c + 1, c, c], [r, r, r + 1, r + 1, r])

    def clear_values(self) -> None:
        super().clear_values()
        self._texts_of_cells.set_texts([], [])

    def _name_rows(self) -> None:
        roomy = self.width() - self.height() >= ROOM
        self.name_rows(self._row_names if roomy else [str(k + 1) for k in range(len(self._row_names))])

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._cell_frame.setPen(pen("#000000", 2))
        self._texts_of_cells.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_row_names"):
            self._name_rows()


class Maps(QWidget):
    """Heat maps as large as they can be: two beside each other or one above the other, four in a row or in a square."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)
        self._widgets: list[QWidget] = []
        self._count, self._columns, self._upright = 2, 0, False

    def add(self, widget: QWidget) -> None:
        """One more, shown once :meth:`show_first` says so."""
        widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        widget.setParent(self)
        widget.setVisible(len(self._widgets) < self._count)
        self._widgets.append(widget)
        self._columns = 0
        self._arrange()

    def show_first(self, count: int) -> None:
        """How many are shown."""
        if count != self._count:
            self._count, self._columns = count, 0
            self._arrange()

    def set_upright(self, upright: bool) -> None:
        """Two stand one above the other."""
        self._upright = upright
        self._arrange()

    def _arrange(self) -> None:
        if self._count == 2:
            columns = 1 if self._upright else 2
        else:
            size = {c: min(self.width() / c, self.height() / (4 // c)) for c in (1, 2, 4)}
            columns = max(size, key=lambda c: size[c])
        if columns == self._columns:
            return
        self._columns = columns
        for k, widget in enumerate(self._widgets):
            self._grid.removeWidget(widget)
            widget.setVisible(k < self._count)
            if k < self._count:
                self._grid.addWidget(widget, k // columns, k % columns)
        for k in range(4):
            self._grid.setColumnStretch(k, int(k < columns))
            self._grid.setRowStretch(k, int(k < -(-self._count // columns)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
