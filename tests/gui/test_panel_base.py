import csv
from xml.etree import ElementTree

import numpy as np
import pyqtgraph as pg
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage

from gui.chrome.rail import STEPS
from gui.helptext import parse_help, read_help
from gui.panels import help as help_module
from gui.panels.base import ENOUGH, Panel


class Curve(Panel):
    key = "curve"
    title = "Curve"
    empty_text = "No curve yet. Press Run."

    def __init__(self, selection, theme):
        super().__init__(selection, theme)
        self.plot = pg.PlotWidget()
        self.plot.plot(np.arange(4), np.arange(4) ** 2, pen=pg.mkPen("#ff0000", width=3))
        self.set_body(self.plot)

    def plots(self):
        return [("curve", self.plot.getPlotItem())]

    def csv_rows(self):
        yield ("x", "y")
        yield from ((x, x**2) for x in range(4))


@pytest.fixture
def panel(qtbot, selection, theme):
    made = Curve(selection, theme)
    made.resize(420, 300)
    qtbot.addWidget(made)
    made.show()
    return made


def answers(panel, path):
    asked = []

    def ask(parent, title, suggested, pattern):
        asked.append((title, suggested, pattern))
        return str(path)

    panel.ask_save = ask
    return asked


def test_a_panel_begins_empty_with_a_sentence_and_comes_back_to_it(panel):
    assert panel.is_empty
    assert not panel.plot.isVisible()
    panel.show_content()
    panel.set_subtitle("squares")
    assert panel.plot.isVisible()
    panel.clear()
    assert panel.is_empty
    assert panel.subtitle == ""


def test_the_subtitle_gives_way_but_keeps_its_whole_text(panel, qtbot):
    with qtbot.waitSignal(panel.subtitle_changed) as told:
        panel.set_subtitle("a long sentence about what is drawn here, layer by layer, that cannot fit")
    assert told.args == [panel.subtitle]
    shown = panel.header.subtitle
    assert shown.text().endswith("…")
    assert shown.accessibleName() == shown.toolTip() == panel.subtitle
    assert panel.header.minimumSizeHint().width() <= 120


def test_everything_on_a_panel_can_be_named_by_a_screen_reader_and_reached_by_key(panel):
    assert unnamed(panel.header) == []
    for button in (panel.header.help_button, panel.header.export_button, panel.header.maximise_button):
        assert button.toolTip()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_the_header_asks_to_maximise_by_button_and_by_double_click(panel, qtbot):
    with qtbot.waitSignal(panel.maximise_requested):
        qtbot.mouseClick(panel.header.maximise_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.maximise_requested):
        qtbot.mouseDClick(panel.header, Qt.MouseButton.LeftButton)


def test_an_empty_panel_offers_nothing_to_export(panel):
    panel.export_menu.aboutToShow.emit()
    assert [action.isEnabled() for action in panel.export_menu.actions()] == [False] * 4
    panel.show_content()
    panel.export_menu.aboutToShow.emit()
    assert [action.isEnabled() for action in panel.export_menu.actions()] == [True] * 4


def test_png_is_twice_the_size_on_screen_and_shows_the_plot(panel, tmp_path, qtbot):
    panel.show_content()
    asked = answers(panel, tmp_path / "out.png")
    with qtbot.waitSignal(panel.exported) as told:
        panel.save_png()
    assert asked == [("Save Curve as PNG image", "curve.png", "PNG image (*.png)")]
    assert "out.png" in told.args[0]
    image = QImage(str(tmp_path / "out.png"))
    assert image.width() == 2 * 420
    red = sum(
        image.pixelColor(x, y).red() > 200 and image.pixelColor(x, y).green() < 60
        for x in range(0, image.width(), 2)
        for y in range(0, image.height(), 2)
    )
    assert red > 50


def test_copy_puts_the_same_picture_on_the_clipboard(panel):
    panel.show_content()
    panel.copy_image()
    assert QGuiApplication.clipboard().image().size() == panel.picture().size()


def test_svg_holds_the_curve(panel, tmp_path):
    panel.show_content()
    answers(panel, tmp_path / "out")  # no suffix typed
    panel.save_svg()
    root = ElementTree.parse(tmp_path / "out.svg").getroot()
    drawn = [node for node in root.iter() if node.tag.endswith(("path", "polyline"))]
    strokes = [node for node in root.iter() if node.get("stroke") == "#ff0000"]
    assert root.tag.endswith("svg")
    assert drawn
    assert strokes
    assert any(node.tag.endswith("text") for node in root.iter()), "the numbers of the axes are texts"


def test_csv_holds_the_numbers_drawn(panel, tmp_path):
    panel.show_content()
    answers(panel, tmp_path / "out.csv")
    panel.save_csv()
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["x", "y"], ["0", "0"], ["1", "1"], ["2", "4"], ["3", "9"]]


def test_a_file_that_cannot_be_written_is_told_in_a_sentence_and_nothing_breaks(panel, tmp_path, qtbot):
    panel.show_content()
    answers(panel, tmp_path / "missing" / "out.csv")
    for save in (panel.save_png, panel.save_svg, panel.save_csv):
        with qtbot.waitSignal(panel.failed) as told:
            save()
        assert "could not be written" in told.args[0]
        assert "Choose another folder" in told.args[0]


def test_cancelling_the_dialog_writes_nothing(panel, tmp_path, qtbot):
    panel.ask_save = lambda *_: ""
    with qtbot.assertNotEmitted(panel.exported), qtbot.assertNotEmitted(panel.failed):
        panel.save_csv()
    assert list(tmp_path.glob("*.csv")) == []


def test_the_help_opens_with_its_kind_and_source_and_closes_with_escape(panel, qtbot, monkeypatch):
    text = "kind: theorem, analogy\nsource: Poole et al. (2016)\n\n**Curves** go up."
    monkeypatch.setattr(help_module, "read_help", lambda key: parse_help(text))
    qtbot.mouseClick(panel.header.help_button, Qt.MouseButton.LeftButton)
    popover = panel._popover
    assert popover.isVisible()
    assert "Curves go up." in popover.browser.toPlainText()
    chips = [child.text() for child in popover.findChildren(type(popover._title)) if child.property("kind")]
    assert chips == ["theorem", "analogy"]
    assert "Poole" in popover._source.text()
    assert unnamed(popover) == []
    qtbot.keyClick(popover, Qt.Key.Key_Escape)
    assert not popover.isVisible()


def test_a_help_text_is_split_into_kinds_source_and_body():
    found = parse_help("Kind: Theorem, poem\nsource: A (2000)\n\n# Title\nkind: of\n")
    assert found.kinds == ("theorem",)
    assert found.source == "A (2000)"
    assert found.body == "# Title\nkind: of"
    assert parse_help("Just text.").body == "Just text."
    assert read_help("there is no such text") is None


def test_a_new_theme_reaches_the_picture(panel, theme):
    panel.set_theme(type(theme).light())
    assert panel.picture().pixelColor(2, 2) == QColor("#ffffff")


def test_every_step_and_the_log_are_explained():
    for key in [*(f"step-{step.key}" for step in STEPS), "log"]:
        help = read_help(key)
        assert help is not None, key
        assert len(help.body) > 80


def test_a_panel_never_asks_for_more_height_than_half_a_small_screen(panel, qtbot):
    panel.show_content()
    assert panel.minimumSizeHint().height() < ENOUGH
    panel.plot.setMinimumHeight(700)
    qtbot.waitUntil(lambda: panel.layout().totalMinimumSize().height() > 700)
    assert panel.minimumSizeHint().height() == ENOUGH
