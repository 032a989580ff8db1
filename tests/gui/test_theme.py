import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox
from relation_frames import vulnerability_frame

from gui import icons, theme
from gui.actions import COMMANDS
from gui.chrome.rail import STEPS
from gui.theme import GROUPS, Theme, contrast, diverging, dressing, stylesheet, system_theme
from tests.pace import least

THEMES = [Theme.dark(), Theme.light()]
both = pytest.mark.parametrize("look", THEMES, ids=lambda look: look.name)


def test_contrast_equals_the_published_values():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)  # the grey that just fails WCAG AA


@both
def test_text_is_readable_on_every_surface(look):
    surfaces = (look.window, look.surface, look.raised, look.popup, look.field)
    for surface in surfaces:
        assert contrast(look.text, surface) >= 7
        assert contrast(look.muted, surface) >= 4.5
        assert contrast(look.faint, surface) >= 2.3, "disabled, yet there to be seen"
        assert contrast(look.accent, surface) >= 3
        for tone in (look.error, look.warning, look.success):
            assert contrast(tone, surface) >= 4.5
    assert contrast(look.accent_text, look.accent) >= 4.5
    assert contrast(look.text, look.accent_soft) >= 7


@both
def test_lines_of_every_group_and_class_can_be_seen_and_told_apart(look):
    for colour in {*(look.group_colour(name) for name in GROUPS), *look.class_colours()}:
        assert contrast(colour, look.surface) >= 2.9, colour
    for colours in (list(map(look.group_colour, GROUPS)), look.class_colours()):
        assert len(set(colours)) == len(colours)
        for a, b in itertools.combinations(colours, 2):
            assert np.linalg.norm(np.subtract(QColor(a).getRgb(), QColor(b).getRgb())) > 40, (a, b)


@both
def test_groups_keep_their_hue_in_both_themes(look):
    assert QColor(look.group_colour("adv_target")).hue() == pytest.approx(QColor("#d55e00").hue(), abs=4)
    assert QColor(look.group_colour("same")).hue() == pytest.approx(QColor("#56b4e9").hue(), abs=6)
    assert QColor(look.group_colour("target_members")).hue() == pytest.approx(QColor("#009e73").hue(), abs=6)
    assert QColor(look.group_colour("random_target")).saturation() == 0
    assert look.group_colour("no such group") == look.group_colour("random_target")


def test_class_colours_begin_again_after_ten():
    look = Theme.dark()
    assert look.class_colour(13) == look.class_colour(3)


def test_correlations_are_blue_below_zero_near_white_at_zero_and_red_above():
    low, middle, high = diverging().map(np.array([0.0, 0.5, 1.0]))[:, :3].astype(int)
    assert low[2] > low[0] + 60
    assert high[0] > high[2] + 60
    assert middle.min() > 240


@both
def test_the_style_sheet_has_no_gap_and_names_only_files_that_are_there(look, qapp):
    text = stylesheet(look)
    assert "$" not in text
    files = re.findall(r"url\((.*?)\)", text)
    assert len(files) >= 4
    for name in files:
        path = Path(name)
        assert path.is_file()
        colours = set(re.findall(r'stroke="(#\w+)"', path.read_text()))
        assert colours <= {look.muted, look.text, look.accent_text}, f"{name} is drawn in another theme's colours"


def test_a_theme_can_be_chosen_against_the_system(qapp):
    assert system_theme("dark").name == "dark"
    assert system_theme("light").name == "light"
    assert system_theme("system").name in {"dark", "light"}


def test_a_larger_scale_makes_every_text_larger(qapp):
    small, large = Theme.dark(), Theme.dark(1.5)
    assert (large.small, large.base, large.heading) > (small.small, small.base, small.heading)
    assert f"font-size: {large.heading}px" in stylesheet(large)


def test_the_application_takes_a_theme_quickly_enough_to_switch_at_will(qapp, theme):
    assert qapp.styleSheet() == stylesheet(theme)
    assert qapp.palette().window().color().name() == theme.window
    assert qapp.font().pixelSize() == theme.base


@both
def test_icons_are_drawn_in_the_theme_s_colour(look, qapp):
    image = icons.pixmap("play", look.accent, 32).toImage()
    solid = [image.pixelColor(x, y) for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() == 255]
    assert len(solid) > 50
    # straight alpha to premultiplied and back may turn a channel by one
    assert all(max(abs(np.subtract(c.getRgb(), QColor(look.accent).getRgb()))) <= 2 for c in solid)


def test_every_icon_that_is_named_is_there_and_is_not_empty(qapp):
    wanted = {command.icon for command in COMMANDS if command.icon} | {step.key for step in STEPS}
    wanted |= {
        "help",
        "download",
        "maximise",
        "restore",
        "close",
        "copy",
        "folder",
        "info",
        "warning",
        "error",
        "check",
    }
    assert wanted <= set(icons.names())
    for name in icons.names():
        image = icons.pixmap(name, "#ffffff", 32).toImage()
        assert any(image.pixelColor(x, y).alpha() > 100 for x in range(32) for y in range(32)), name


def test_importing_the_window_s_foundation_imports_no_torch():
    modules = [
        ".".join(path.relative_to(theme.RESOURCES.parent).with_suffix("").parts)
        for folder in ("forms", "chrome", ".")
        for path in sorted((theme.RESOURCES.parent / "gui" / folder).glob("*.py"))
        if path.stem not in {"__init__", "app", "main_window", "bridge"}
    ]
    assert len(modules) > 20
    code = f"import sys\nfor name in {[*modules, 'gui.panels.base']!r}: __import__(name)\nprint('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=theme.RESOURCES.parent, check=True
    )
    assert done.stdout.strip() == "False"


def test_another_theme_costs_little_more_than_the_style_sheet_itself(window, qapp):
    def dress():
        qapp.setStyleSheet("")
        qapp.setStyleSheet(sheet)

    sheet = qapp.styleSheet()
    window.set_theme(Theme.dark())
    looks = itertools.cycle((Theme.light(), Theme.dark()))
    # put over one another, or over parts that are dressed one by one, sheets cost five times this
    assert least(lambda: window.set_theme(next(looks)), 0, tries=2) < 3 * least(dress, 0, tries=2)


def test_where_a_part_cannot_take_a_theme_the_others_have_it(qapp):
    look = Theme.light()
    with pytest.raises(ValueError, match="not this one"), dressing(qapp, look):
        raise ValueError("not this one")
    assert qapp.styleSheet() == stylesheet(look)


def test_a_panel_at_the_back_has_room_for_its_lists_when_it_is_seen_in_another_theme(window, qtbot):
    panel = window.docks.relations
    window.docks.show_panel("relations")
    panel.show_frame(vulnerability_frame(12))
    qtbot.waitUntil(lambda: len(lists(panel)) == 2)
    window.docks.maximise("profile")
    qtbot.waitUntil(lambda: not lists(panel))
    for look in THEMES:
        window.set_theme(look)
    window.docks.show_panel("relations")
    qtbot.waitUntil(lambda: len(lists(panel)) == 2)
    qtbot.waitUntil(lambda: all(box.width() == box.sizeHint().width() for box in lists(panel)), timeout=3000)


def lists(panel):
    return [box for box in panel.findChildren(QComboBox) if box.isVisible()]
