"""Nothing keeps the window's thread from its event loop for more than a moment: pages shown for the first time, columns
side by side, a sweep's table that is scrolled."""

from __future__ import annotations

from time import thread_time

import pytest
import stepping
from PySide6.QtWidgets import QApplication
from sweep_files import grid, made
from test_panel_sidebyside import content, source

from gui.panels.complexity.panel import AGAINST, RELATE, ComplexityPanel
from gui.panels.sidebyside.kinds import KINDS
from gui.panels.sidebyside.panel import SideBySidePanel
from gui.panels.sweep.panel import SweepPanel
from gui.selection import Selection

MOMENT = 0.05


def put_away(widget):
    widget.close()
    widget.deleteLater()
    QApplication.processEvents()


@pytest.mark.timing
@pytest.mark.parametrize("page", [AGAINST, RELATE])
def test_a_page_of_complexity_is_shown_for_the_first_time(page, theme, tmp_path):
    with made(tmp_path / "known.sweep", finished=24) as store:

        def show() -> float:
            panel, elsewhere = ComplexityPanel(Selection(), theme), stepping.Elsewhere()
            panel.read = panel.work = elsewhere.read
            panel.resize(900, 520)
            panel.set_store(store)
            panel.show_page(page)
            began = thread_time()
            panel.show()
            first = thread_time() - began

            def done() -> bool:
                shown = panel._pages.get(page)
                return shown is not None and shown.at_rest and shown.networks is not None

            longest = max(first, stepping.longest_step(done, elsewhere))
            assert panel.networks.n == 24 and panel.page_choice.key() == page
            put_away(panel)
            return longest

        assert stepping.least(show, MOMENT) < MOMENT


@pytest.mark.timing
@pytest.mark.parametrize(
    ("kind", "columns"),
    [*((kind.key, 6) for kind in KINDS), *((key, 3) for key in ("profile", "takeover", "structure", "bell"))],
)
def test_columns_side_by_side_are_made(kind, columns, theme):
    sources = [(source(f"s{k}"), content(k + 1), "") for k in range(columns)]

    def make() -> float:
        panel = SideBySidePanel(Selection(), theme)
        panel.resize(1200, 520)
        panel.show()
        panel.set_kind(kind)
        QApplication.processEvents()
        began = thread_time()
        panel.set_sources(sources)
        first = thread_time() - began
        longest = max(first, stepping.longest_step(lambda: panel.is_made))
        assert len(panel.panels()) == columns
        put_away(panel)
        return longest

    assert stepping.least(make, MOMENT) < MOMENT


@pytest.mark.timing
def test_the_table_of_a_sweep_is_scrolled_by_the_wheel(theme, tmp_path):
    spec = grid(("model.width", tuple(range(8, 58))), ("model.depth", (1, 2, 3, 4)), ("seed", (0, 1, 2, 3, 4)))
    with made(tmp_path / "long.sweep", spec) as store:
        panel, elsewhere = SweepPanel(Selection(), theme), stepping.Elsewhere()
        panel.read = elsewhere.read
        panel.resize(1000, 700)
        panel.show()
        panel.set_store(store)
        panel.set_state("idle")
        stepping.longest_step(lambda: panel.model.row(0) is not None, elsewhere)
        bar = panel.table.verticalScrollBar()

        def scroll() -> float:
            longest = 0.0
            for _ in range(70):
                elsewhere.go_on()
                began = thread_time()
                bar.setValue((bar.value() + 63) % bar.maximum())
                QApplication.processEvents()
                longest = max(longest, thread_time() - began)
            return longest

        assert stepping.least(scroll, MOMENT) < MOMENT
        put_away(panel)
