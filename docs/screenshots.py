"""Take the pictures of the README and the guide: the real window on the ready example, run to its end.

``python -m docs.screenshots [FOLDER]`` needs no display: Qt draws offscreen.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep

SWEEP = Path(__file__).parent.parent / "resources" / "examples" / "sweep-digits.toml"
SIZE = (1440, 900)
LOOKS = (
    "robustness", "takeover", "falsifier", "bell", "structure", "all_pairs", "null", "layers", "repeats", "vulnerability", "transferability",
    "max_likelihood", "price", "reconciliation", "hardening",
)  # fmt: skip
ROOMY = ("hardening", "sweep", "complexity")  # what needs the whole width of the window
PATIENCE = 900  # seconds for the example to run


def main(folder: Path) -> None:
    """Write window-dark.png and window-light.png, and one picture of each panel, to a folder; some ten minutes."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as home:
        os.environ["RAPIDITY_LAB_HOME"] = home
        take(folder)


def take(folder: Path) -> None:
    """Run the example in the real window and take its pictures."""
    from PySide6.QtWidgets import QApplication

    from gui.app import open_window, prepare
    from gui.settings import Settings
    from gui.theme import Theme

    app = QApplication([])
    prepare()
    window = open_window(Settings(), None)
    window.documents.ask_unsaved = lambda *_: "discard"
    window.resize(*SIZE)
    window.show()
    window.start()
    window.runner.run_all()
    wait(app, window)
    window.navigation.show_step("attack")
    window.selection.set_tap("relu 5")
    gallery = window.stage.frame("gallery")
    window.selection.set_sample(int(gallery.arrays["index"][1]))
    for look in (window.looks.map_selected, window.looks.measure_classes):
        look()
        wait(app, window)
    for name in LOOKS:
        window.looks.look(name)
        wait(app, window)
    window.docks.profile.page_choice.button("curves").click()
    for key in ("training", "gallery", "matrix", "profile", "spacetime"):  # what a run of everything shows
        window.docks.show_panel(key)
    folder.mkdir(parents=True, exist_ok=True)
    for theme in (Theme.dark(), Theme.light()):
        window.set_theme(theme)
        settle(app, window)
        window.grab().save(str(folder / f"window-{theme.name}.png"))
    for panel in (*window.panels, window.docks.results):
        take_panel(app, window, panel, folder)
    swept(app, window, folder)
    beside(app, window, folder)
    window.close()


def take_panel(app: object, window: object, panel: object, folder: Path) -> None:
    """The picture that the panel gives of itself, in its place or, where that is too narrow, alone."""
    if panel.key in ROOMY:
        window.docks.maximise(panel.key)
    else:
        window.docks.show_panel(panel.key)
    settle(app, window)
    panel.picture().save(str(folder / f"panel-{panel.key}.png"))
    window.docks.restore()


def swept(app: object, window: object, folder: Path) -> None:
    """The sweep of the examples: its table, and what it says on complexity."""
    from engine.spec_files import load_spec
    from gui.sweeps import Computer

    sweeps = window.sweep_desk.sweeps
    sweeps.run(load_spec(SWEEP), Computer(), sure=True)
    deadline = monotonic() + PATIENCE
    while (sweeps.state != "idle" or sweeps.busy) and monotonic() < deadline:
        app.processEvents()
        sleep(0.01)
    for panel in (window.docks.sweep, window.docks.complexity):
        take_panel(app, window, panel, folder)


def beside(app: object, window: object, folder: Path) -> None:
    """The same experiment with twice the budget, side by side with the first."""
    first = window.lab.session.runs()[0].id
    attack = window.editor.spec.attack
    window.editor.edit("attack", attack.model_copy(update={"eps": 2 * attack.eps, "alpha": 2 * attack.alpha}), "eps")
    window.runner.run_all()
    wait(app, window)
    window.beside.compare(window.columns.runs([first, window.lab.session.runs()[-1].id]))
    panel = window.docks.sidebyside
    wait(app, window)
    settle(app, window)
    panel.finish()
    settle(app, window)
    panel.picture().save(str(folder / f"panel-{panel.key}.png"))


def wait(app: object, window: object) -> None:
    """Until nothing runs or waits any more, and the files are read."""
    deadline = monotonic() + PATIENCE
    while (window.jobs.all or window.background.busy) and monotonic() < deadline:
        app.processEvents()
        sleep(0.005)
    if window.jobs.all:
        raise SystemExit(f"The example did not end within {PATIENCE} s.")


def settle(app: object, window: object) -> None:
    """Draw what is new and let Qt lay it out and paint it."""
    for _ in range(100):
        window.rotation.draw_all()
        app.processEvents()
        sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "images")
