"""The window on a small screen: whatever is shown, it fits, and showing it does not make the window larger."""

from __future__ import annotations

import numpy as np
from hardening_frames import hardening_frame
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QScrollArea
from robustness_frames import robustness_frame
from sweep_files import SMALL, made

from engine.events import Frame

SCREEN = QSize(1280, 720)


def test_no_panel_makes_the_window_larger_than_a_small_screen(open_lab, tmp_path, qtbot):
    person = open_lab(start=False)
    window, docks = person.window, person.window.docks
    window.resize(SCREEN)
    qtbot.waitUntil(lambda: window.size() == SCREEN)
    docks.hardening.show_frame(hardening_frame())
    docks.robustness.show_frame(robustness_frame())
    store = made(tmp_path / "known.sweep", SMALL, finished=30, failed=(5, 17), running=2)
    docks.sweep.set_store(store)
    docks.sweep.set_state("running")
    docks.complexity.set_store(store)
    numbers = {"width": np.array([8.0, 16.0]), "change": np.array([0.3, 0.2]), "robust_accuracy": np.array([0.1, 0.2])}
    docks.complexity.show_frame(
        Frame("complexity", "measure", 0, numbers, {"columns": list(numbers), "statistics": []})
    )
    window.notices.show_notice("Something to read, for which all else makes room.")
    for panel in docks.panels:
        docks.show_panel(panel.key)
        window.rotation.draw_all()
        qtbot.waitUntil(lambda key=panel.key: docks.is_shown(key))
        if panel is docks.complexity:  # of the sweep and of the session: their switch stands beside that of the pages
            qtbot.waitUntil(panel.source_choice.isVisible)
            beside = panel.page_choice.width() + panel.source_choice.width()
            assert panel.minimumSizeHint().width() < beside, "they wrap where the panel is narrow"
        panel.grab()
        assert window.size() == SCREEN, f"{panel.title} made the window {window.width()} x {window.height()}"
        least = window.minimumSizeHint()
        assert least.width() <= SCREEN.width() and least.height() <= SCREEN.height(), (panel.title, least)
    docks.sweep.set_store(None)
    docks.complexity.set_store(None)
    store.close()


def test_no_form_is_wider_than_its_place_beside_a_scroll_bar(open_lab, qtbot):
    person = open_lab(start=False, spec=SMALL)
    window = person.window
    window.resize(SCREEN)
    for key, form in window.step_forms.items():
        window.navigation.show_step(key)
        area = form.findChild(QScrollArea)
        qtbot.waitUntil(area.isVisible)
        bar = area.verticalScrollBar().sizeHint().width()
        room = area.viewport().width() - (0 if area.verticalScrollBar().isVisible() else bar)
        assert area.widget().minimumSizeHint().width() <= room, f"the form {key} is cut"
