"""The points of a sweep as a table that is never in memory as a whole: pages are read when they come into view."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from engine.errors import UserError
from gui.panels.sweep.words import cell

if TYPE_CHECKING:
    from engine.sweep.columns import Column
    from engine.sweep.store import PointRow, SweepStore

PAGE = 64  # rows read at a time
KEPT = 24  # pages kept: about fifty screens
ASKED = 4  # pages asked for and not there yet; an older wish is dropped, its rows are out of view by then

Read = Callable[[Callable[[], Any], Callable[[Any], None]], None]
"""``read(work, done)``: does work off the window's thread, then calls ``done`` with its result in it.

Where work cannot be done the person is told, and ``done`` is never called.
"""

STATUS = "status"
Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
_NUMBER = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_WORD = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_DISPLAY, _ALIGN, _TIP = int(Role.DisplayRole), int(Role.TextAlignmentRole), int(Role.ToolTipRole)


@dataclass(frozen=True)
class _Page:
    rows: tuple[PointRow, ...]
    texts: tuple[tuple[str, ...], ...]  # of every cell, written once


def _texts(row: PointRow, keys: Sequence[str], axes: int) -> tuple[str, ...]:
    """What stands in the cells of a row; thousands of them a page, so they are written where it is read."""
    texts = [cell(row.values.get(key)) for key in keys[:axes]]
    measured = row.row or {}
    return (*texts, row.status, *(cell(measured.get(key)) for key in keys[axes + 1 :]))


class PointsModel(QAbstractTableModel):
    """Columns: the axes, the status, then what was measured. The row's header is the number of the point.

    Everything is read from the file by ``read``, never in the window's thread. Sorting and filtering are the file's.
    """

    arrived = Signal()  # rows that were not there, or were old, are there now
    counted = Signal(object)  # {status: points}
    troubled = Signal(str)  # the file cannot be read: a sentence
    reordered = Signal()  # every row may be another point's now

    def __init__(self, read: Read, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read = read
        self._store: SweepStore | None = None
        self._columns: tuple[Column, ...] = ()
        self._keys: list[str] = []
        self._axes = 0
        self._rows = 0
        self._counts: dict[str, int] = {}
        self._order: str | None = None
        self._descending = False
        self._status: str | None = None
        self._pages: OrderedDict[int, _Page] = OrderedDict()
        self._asked: OrderedDict[int, int] = OrderedDict()  # page to the time it was asked for
        self._old: set[int] = set()  # pages that the file may say otherwise by now
        self._overtaken: set[int] = set()  # asked for before the file changed: shown when they come, and read again
        self._latest = -1  # the page that was looked at last
        self._time = 0  # rises with whatever makes answers on their way worthless
        self._looking = self._look_again = False

    # --- what is shown -------------------------------------------------------------------------------------------

    @property
    def store(self) -> SweepStore | None:
        return self._store

    @property
    def counts(self) -> dict[str, int]:
        """Points by status, as last read."""
        return self._counts

    @property
    def columns(self) -> tuple[Column, ...]:
        """The file's columns; the status stands after the axes, see :meth:`key`."""
        return self._columns

    @property
    def in_order(self) -> bool:
        """Whether a row's place is its point's number: nothing is sorted or left out."""
        return self._order is None and not self._descending and self._status is None

    @property
    def loaded(self) -> int:
        """Rows in memory."""
        return sum(len(page.rows) for page in self._pages.values())

    def set_store(self, store: SweepStore | None) -> None:
        """Show another file, or none."""
        self.beginResetModel()
        self._store = store
        self._columns, self._keys, self._axes, self._rows, self._counts = (), [], 0, 0, {}
        self._order, self._descending, self._status = None, False, None
        self._looking = self._look_again = False  # an answer that never came was of the file before
        self._forget()
        self.endResetModel()
        self.refresh()

    def set_status(self, status: str | None) -> None:
        """Show only the points with this status; None shows all."""
        if status != self._status:
            self._status = status
            self._begin_anew()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; below 0 by the points' numbers."""
        key = self._keys[column] if 0 <= column < len(self._keys) else None
        descending = order == Qt.SortOrder.DescendingOrder and key is not None
        if (key, descending) != (self._order, self._descending):
            self._order, self._descending = key, descending
            self._begin_anew()

    def refresh(self) -> None:
        """The file has changed: count anew, and read again what is in view. What is shown stays until the new is there."""
        store = self._store
        if store is None:
            self.counted.emit({})
            return
        if self._looking:
            self._look_again = True
            return
        self._looking = True

        def work() -> tuple[dict[str, int], tuple[Column, ...]] | UserError:
            try:
                again = store.repeated()
                return store.counts(), tuple(column for column in store.columns() if column.name not in again)
            except UserError as error:
                return error

        def done(found: tuple[dict[str, int], tuple[Column, ...]] | UserError) -> None:
            if store is not self._store:
                return  # another one has been looked at meanwhile
            self._looking = False
            if isinstance(found, UserError):
                self.troubled.emit(str(found))
            else:
                self._take(*found)
            if self._look_again:
                self._look_again = False
                self.refresh()

        self._read(work, done)

    def _begin_anew(self) -> None:
        """Other rows in the same columns: what is scrolled across stays."""
        self._forget()
        self.reordered.emit()
        self._resize(self._count())
        if self._rows and self._keys:
            self.dataChanged.emit(self.index(0, 0), self.index(self._rows - 1, len(self._keys) - 1))
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, self._rows - 1)

    def _count(self) -> int:
        if self._status is not None:
            return self._counts.get(self._status, 0)
        return sum(self._counts.values())

    def _take(self, counts: dict[str, int], columns: tuple[Column, ...]) -> None:
        self._counts = counts
        if columns != self._columns:
            self.beginResetModel()
            self._columns = columns
            axes = [column.name for column in columns if column.kind == "axis"]
            rest = [column.name for column in columns if column.kind != "axis"]
            self._axes = len(axes)
            self._keys = [*axes, STATUS, *rest]
            self._forget()
            self._rows = self._count()
            self.endResetModel()
        else:
            self._old = {*self._pages, *self._asked}
            self._overtaken = set(self._asked)
            self._resize(self._count())
            if self._rows:
                # the view asks for what it shows, and so has the old pages read again
                self.dataChanged.emit(self.index(0, 0), self.index(self._rows - 1, len(self._keys) - 1))
        self.counted.emit(counts)

    def _resize(self, rows: int) -> None:
        """More or fewer rows at the end: where the view has scrolled to stays."""
        if rows > self._rows:
            self.beginInsertRows(QModelIndex(), self._rows, rows - 1)
            self._rows = rows
            self.endInsertRows()
        elif rows < self._rows:
            self.beginRemoveRows(QModelIndex(), rows, self._rows - 1)
            self._rows = rows
            self.endRemoveRows()

    def _forget(self) -> None:
        self._pages.clear()
        self._asked.clear()
        self._old.clear()
        self._overtaken.clear()
        self._time += 1

    def view(self) -> dict[str, Any]:
        """How the rows are sorted and filtered, as the file's pages take it."""
        return {"order": self._order, "descending": self._descending, "status": self._status}

    # --- pages ---------------------------------------------------------------------------------------------------

    def row(self, place: int) -> PointRow | None:
        """The point in a row; None while its page is not there."""
        page = self._pages.get(place // PAGE)
        return page.rows[place % PAGE] if page is not None and place % PAGE < len(page.rows) else None

    def places(self) -> Iterator[tuple[int, int]]:
        """(row, number of its point) of all rows that are there."""
        for number, page in self._pages.items():
            for offset, row in enumerate(page.rows):
                yield number * PAGE + offset, row.id

    def _page(self, number: int) -> _Page | None:
        page = self._pages.get(number)
        if page is not None:
            self._pages.move_to_end(number)
        if page is None or number in self._old:
            self._ask(number)
        else:
            self._ask_beside(number)
        return page

    def _ask_beside(self, number: int) -> None:
        """Read what is next to a page in view, so that scrolling does not have to paint its rows twice."""
        for beside in (number + 1, number - 1):
            if 0 <= beside * PAGE < self._rows and beside not in self._pages:
                self._ask(beside)

    def _ask(self, number: int) -> None:
        store, time = self._store, self._time
        if store is None or self._asked.get(number) == time:
            return
        self._asked[number] = time
        while len(self._asked) > ASKED:
            dropped, _ = self._asked.popitem(last=False)
            self._overtaken.discard(dropped)
        order, descending, status = self._order, self._descending, self._status
        keys, axes = tuple(self._keys), self._axes

        def work() -> _Page | UserError | None:
            if self._asked.get(number) != time:
                return None  # scrolled past, or sorted otherwise, meanwhile
            try:
                rows = tuple(store.page(number * PAGE, PAGE, order=order, descending=descending, status=status))
            except UserError as error:
                return error
            return _Page(rows, tuple(_texts(row, keys, axes) for row in rows))

        def done(page: _Page | UserError | None) -> None:
            if page is None or store is not self._store or self._asked.get(number) != time:
                return
            if isinstance(page, UserError):
                del self._asked[number]  # asked for again when it is looked at again
                self.troubled.emit(str(page))
            else:
                self._put(number, page)

        self._read(work, done)

    def _put(self, number: int, page: _Page) -> None:
        del self._asked[number]
        if number in self._overtaken:
            self._overtaken.discard(number)
        else:
            self._old.discard(number)
        room = max(0, self._rows - number * PAGE)
        rows = page.rows[:room]
        self._pages[number] = _Page(rows, page.texts[:room])
        self._pages.move_to_end(number)
        while len(self._pages) > KEPT:
            gone, _ = self._pages.popitem(last=False)
            self._old.discard(gone)
        if rows:
            first = number * PAGE
            self.dataChanged.emit(self.index(first, 0), self.index(first + len(rows) - 1, len(self._keys) - 1))
            self.headerDataChanged.emit(Qt.Orientation.Vertical, first, first + len(rows) - 1)
        self.arrived.emit()
        if number == self._latest:
            self._ask_beside(number)

    # --- what a view asks ----------------------------------------------------------------------------------------

    def key(self, column: int) -> str:
        """The name of a column: an axis' field, "status", or a measured column's name."""
        return self._keys[column]

    def label(self, column: int) -> str:
        """What a column is called, with its unit."""
        found = self.column(column)
        if found is None:
            return "Status"
        return f"{found.label} ({found.unit})" if found.unit else found.label

    def column(self, place: int) -> Column | None:
        """The file's column; None for the status."""
        if place == self._axes:
            return None
        return self._columns[place if place < self._axes else place - 1]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._keys)

    def data(self, index: Index, role: int = _DISPLAY) -> Any:
        if role == _DISPLAY:
            return self.text(index.row(), index.column())
        if role == _ALIGN:
            return _WORD if index.column() == self._axes else _NUMBER
        if role == _TIP:
            row = self.row(index.row())
            return None if row is None else self._tip(row, index.column())
        return None

    @property
    def status_column(self) -> int:
        """Where the status stands."""
        return self._axes

    def text(self, place: int, column: int) -> str:
        """What a cell says; "…" in the status while its page is not there."""
        number, offset = divmod(place, PAGE)
        # as for the cell before, mostly
        page = self._pages.get(number) if number == self._latest and number not in self._old else None
        if page is None:
            self._latest = number
            page = self._page(number)
        if page is None:
            return "…" if column == self._axes else ""
        return page.texts[offset][column] if offset < len(page.texts) else ""

    def _tip(self, row: PointRow, column: int) -> str | None:
        if row.error:
            return f"<p>{row.error}</p>"
        found = self.column(column)
        return f"<p>{found.label}: {found.help}</p>" if found is not None and found.help else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        if orientation == Qt.Orientation.Vertical:
            if role == _DISPLAY:
                if self.in_order:
                    return str(section)
                row = self.row(section)
                return str(row.id) if row is not None else ""
            return None
        if role == _DISPLAY:
            return self.label(section)
        if role == _ALIGN:
            return _WORD if section == self._axes else _NUMBER
        if role == _TIP:
            found = self.column(section)
            return (
                f"<p><b>{self.label(section)}</b><br>{found.name}: {found.help}</p>"
                if found is not None
                else "How far the point is"
            )
        return None
