"""One look for the whole window: tokens, the style sheet made from them, and colours that mean something.

Everything that draws takes its colours from one frozen :class:`Theme`, never from the palette: pyqtgraph ignores
the palette, and a plot must not disagree with the card around it. Pair groups have one colour each, the same in
every panel (:meth:`Theme.group_colour`), from the colour-blind-safe set of Okabe and Ito, "Color Universal Design"
(2008), each made a little darker or lighter where it would be too faint on the card.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any, Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from engine.experiments.groups import GROUPS as PAIR_GROUPS

RESOURCES = Path(__file__).resolve().parent.parent / "resources"

Choice = Literal["system", "dark", "light"]

FAMILIES = ("Inter", "Noto Sans", "DejaVu Sans")
FIXED_FAMILIES = ("JetBrains Mono", "Noto Sans Mono", "DejaVu Sans Mono")
WIDE = {"DejaVu Sans", "Verdana"}  # so wide that they read one size larger than they are

# Which of the palette's colours each group of pairs has, in every panel and in the report.
GROUPS: dict[str, str] = {group.name: group.colour for group in PAIR_GROUPS}

DARK_PALETTE = {
    "sky": "#56b4e9",
    "orange": "#e69f00",
    "green": "#00a87b",
    "vermillion": "#e0660a",
    "blue": "#2a86cc",
    "grey": "#999999",
    "purple": "#cc79a7",
    "yellow": "#f0e442",
    "ink": "#e8e8e8",
    "violet": "#b66dff",
}
LIGHT_PALETTE = {
    "sky": "#2e98d4",
    "orange": "#c08400",
    "green": "#009068",
    "vermillion": "#d55e00",
    "blue": "#0065a3",
    "grey": "#868686",
    "purple": "#bd5f93",
    "yellow": "#8f9a00",
    "ink": "#1a1a1a",
    "violet": "#7a3db8",
}
CLASS_ORDER = ("sky", "vermillion", "green", "purple", "orange", "blue", "yellow", "grey")


@dataclass(frozen=True)
class Theme:
    """Tokens of one look. Colours are "#rrggbb"; sizes are device-independent pixels."""

    name: Literal["dark", "light"]
    window: str  # behind the cards
    surface: str  # cards, plots
    raised: str  # hovered rows and buttons
    popup: str  # menus, tool tips, lists that open over the window
    field: str  # what can be typed into
    line: str  # hairlines: card borders, plot axes
    line_strong: str  # borders of fields, tracks of sliders
    grid: str  # grid lines in plots
    text: str
    muted: str  # labels, subtitles, axis texts
    faint: str  # disabled
    accent: str
    accent_text: str  # text on the accent
    accent_soft: str  # background of what is chosen
    error: str
    warning: str
    success: str
    scale: float = 1.0
    radius: int = 6
    gap: int = 8  # between cards
    pad: int = 10  # inside cards

    @classmethod
    def dark(cls, scale: float = 1.0) -> Theme:
        """Light text on nearly black blue-grey. ``scale`` enlarges every text, 1.0 = 100%."""
        return cls(
            name="dark",
            window="#0d1117",
            surface="#161b22",
            raised="#21272f",
            popup="#1d232b",
            field="#0f141a",
            line="#262d36",
            line_strong="#3a434e",
            grid="#232a33",
            text="#e6edf3",
            muted="#98a2ad",
            faint="#68727e",
            accent="#4db1dd",
            accent_text="#06141c",
            accent_soft="#16303f",
            error="#ff8577",
            warning="#e3b341",
            success="#3fb98a",
            scale=scale,
        )

    @classmethod
    def light(cls, scale: float = 1.0) -> Theme:
        """Dark text on white cards. ``scale`` enlarges every text, 1.0 = 100%."""
        return cls(
            name="light",
            window="#f2f4f6",
            surface="#ffffff",
            raised="#edf0f3",
            popup="#ffffff",
            field="#f7f8fa",
            line="#dde2e7",
            line_strong="#bfc7d0",
            grid="#eceff2",
            text="#14191f",
            muted="#5a6673",
            faint="#8b95a0",
            accent="#0a7cab",
            accent_text="#ffffff",
            accent_soft="#dceef6",
            error="#c0301c",
            warning="#8a6100",
            success="#0b7a55",
            scale=scale,
        )

    @property
    def is_dark(self) -> bool:
        return self.name == "dark"

    @property
    def palette(self) -> dict[str, str]:
        """The Okabe-Ito colours by name, as they are drawn on this theme's cards."""
        return DARK_PALETTE if self.is_dark else LIGHT_PALETTE

    # The type scale. Four sizes, one family.
    @property
    def small(self) -> int:
        return self._px(11)

    @property
    def base(self) -> int:
        return self._px(13)

    @property
    def heading(self) -> int:
        return self._px(17)

    def _px(self, size: int) -> int:
        wide = 1 if family() in WIDE and size > 11 else 0
        return max(8, round((size - wide) * self.scale))

    def group_colour(self, name: str) -> str:
        """The colour of a group of pairs (``same``, ``adv_target``, …); grey for a name that is not known."""
        return self.palette[GROUPS.get(name, "grey")]

    def class_colour(self, index: int) -> str:
        """The colour of a class: ten that differ, then again from the start."""
        return self.class_colours()[index % 10]

    def class_colours(self) -> tuple[str, ...]:
        """Ten colours for classes: Okabe-Ito's and two more that stay apart from them."""
        extra = ("#b66dff", "#8fd175") if self.is_dark else ("#7a3db8", "#4c8a1f")
        return (*(self.palette[name] for name in CLASS_ORDER), *extra)

    def font(self, size: int | None = None, bold: bool = False) -> QFont:
        """The interface's font; ``size`` in pixels, the base size where none is given."""
        font = QFont(family())
        font.setPixelSize(size or self.base)
        if bold:
            font.setWeight(QFont.Weight.DemiBold)
        # digits of equal width, so that numbers in a column stand under each other
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def fixed_font(self, size: int | None = None) -> QFont:
        """The font of tracebacks and logs."""
        font = QFont(fixed_family())
        font.setPixelSize(size or self.small)
        font.setStyleHint(QFont.StyleHint.Monospace)
        return font


def system_theme(choice: Choice = "system", scale: float = 1.0) -> Theme:
    """The theme a person asked for, or the desktop's where they asked for none. Light where the desktop does not say."""
    if choice == "system":
        app = QGuiApplication.instance()
        scheme = app.styleHints().colorScheme() if isinstance(app, QGuiApplication) else Qt.ColorScheme.Unknown
        choice = "dark" if scheme == Qt.ColorScheme.Dark else "light"
    return Theme.dark(scale) if choice == "dark" else Theme.light(scale)


def apply(app: QApplication, theme: Theme) -> None:
    """Dress the whole program: font, palette, style sheet and the defaults of plots."""
    with dressing(app, theme):
        pass


@contextmanager
def dressing(app: QApplication, theme: Theme) -> Iterator[None]:
    """Dress the whole program; the parts of the window take the theme meanwhile, while no style sheet is on.

    A sheet put over another one, or over a widget that is given its own, makes Qt match every widget again and again:
    the change of colours took three to four times as long.
    """
    if app.style().objectName().lower() != "fusion":
        app.setStyle("Fusion")  # the same base everywhere, so that the style sheet gives the same look everywhere
    app.setStyleSheet("")
    app.setFont(theme.font())
    app.setPalette(palette(theme))
    configure_plots(theme)
    try:
        yield
    finally:
        app.setStyleSheet(stylesheet(theme))


def configure_plots(theme: Theme) -> None:
    """Defaults of pyqtgraph for plots made from now on; plots that exist follow their panel's ``set_theme``."""
    import pyqtgraph as pg

    pg.setConfigOptions(
        background=theme.surface, foreground=theme.muted, antialias=True, imageAxisOrder="row-major", useOpenGL=False
    )


def diverging() -> Any:
    """Colour map for correlations, a pyqtgraph ColorMap over [0, 1]: blue -1, near white 0, red +1.

    Draw it with fixed levels (-1, 1), so that a colour means the same number in every picture (ColorBrewer RdBu).
    """
    return _map(
        (
            "#053061",
            "#2166ac",
            "#4393c3",
            "#92c5de",
            "#d1e5f0",
            "#f7f7f7",
            "#fddbc7",
            "#f4a582",
            "#d6604d",
            "#b2182b",
            "#67001f",
        )
    )


def magnitude(name: Literal["cividis", "viridis"] = "cividis") -> Any:
    """Colour map for magnitudes, even in lightness and safe for the colour-blind."""
    import pyqtgraph as pg

    return pg.colormap.get(name)


@lru_cache
def _map(colours: tuple[str, ...]) -> Any:
    import numpy as np
    import pyqtgraph as pg

    return pg.ColorMap(np.linspace(0, 1, len(colours)), [QColor(colour).getRgb() for colour in colours])


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (W3C, Web Content Accessibility Guidelines 2.1, 2018)."""
    a, b = sorted((_luminance(first), _luminance(second)))
    return (b + 0.05) / (a + 0.05)


def _luminance(colour: str) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    c = QColor(colour)
    return 0.2126 * linear(c.redF()) + 0.7152 * linear(c.greenF()) + 0.0722 * linear(c.blueF())


def mix(first: str, second: str, share: float) -> str:
    """A colour between two: 0 gives the first, 1 the second."""
    a, b = QColor(first), QColor(second)
    parts = zip(a.getRgb()[:3], b.getRgb()[:3], strict=True)
    return QColor(*(round(x + (y - x) * share) for x, y in parts)).name()


@lru_cache
def family() -> str:
    """The interface's family: the first of ours that is installed, else the system's own."""
    return _first_installed(FAMILIES, QFontDatabase.SystemFont.GeneralFont)


@lru_cache
def fixed_family() -> str:
    """The fixed-width family: the first of ours that is installed, else the system's own."""
    return _first_installed(FIXED_FAMILIES, QFontDatabase.SystemFont.FixedFont)


def _first_installed(names: tuple[str, ...], fallback: QFontDatabase.SystemFont) -> str:
    installed = set(QFontDatabase.families())
    return next((name for name in names if name in installed), QFontDatabase.systemFont(fallback).family())


def palette(theme: Theme) -> QPalette:
    """The theme as a palette, for the few widgets that no style sheet reaches (native dialogs, item views)."""
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.field,
        role.AlternateBase: theme.raised,
        role.Text: theme.text,
        role.Button: theme.surface,
        role.ButtonText: theme.text,
        role.BrightText: theme.error,
        role.ToolTipBase: theme.popup,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.accent_text,
        role.Accent: theme.accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Light: theme.raised,
        role.Midlight: theme.raised,
        role.Mid: theme.line_strong,
        role.Dark: theme.line,
        role.Shadow: theme.line,
    }
    made = QPalette()
    for which, colour in colours.items():
        made.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.faint))
    return made


def stylesheet(theme: Theme) -> str:
    """The Qt style sheet of a theme."""
    tokens = {name: str(value) for name, value in vars(theme).items()}
    tokens.update(
        small=str(theme.small),
        base=str(theme.base),
        field_height=str(theme.base + 6),
        combo_height=str(theme.base + 5),  # Qt adds a pixel to it
        heading_size=str(theme.heading),
        fixed=fixed_family(),
        accent_hover=mix(theme.accent, theme.text, 0.14),
        accent_down=mix(theme.accent, theme.window, 0.18),
        error_soft=mix(theme.surface, theme.error, 0.10),
        warning_soft=mix(theme.surface, theme.warning, 0.10),
        icons=(RESOURCES / "icons" / theme.name).as_posix(),
    )
    return _QSS.substitute(tokens)


_QSS = Template((RESOURCES / "theme.qss").read_text(encoding="utf-8"))
