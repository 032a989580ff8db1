"""Every command of the window, declared once: menu, tool tip, key, icon, and when it can be used.

The declarations are plain objects and know no widget. :class:`Actions` makes one QAction of each; menus, shortcuts and
the shortcut list of the help all come from them, so a key is written down in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from gui.icons import icon
from gui.theme import Theme

RunState = Literal["idle", "running", "paused", "stopping"]
MENUS = ("File", "Edit", "Run", "View", "Help")
IDLE, RUNNING, PAUSED = "idle", "running", "paused"


@dataclass(frozen=True)
class Command:
    """One command. ``states`` are the run states in which it can be used; none given means always."""

    id: str
    text: str
    menu: str
    help: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    group: int = 0  # commands of a menu are separated where the group changes
    checkable: bool = False
    states: tuple[RunState, ...] = ()
    exclusive: str = ""  # of the checkable commands with one name here, one is on
    standard: QKeySequence.StandardKey | None = None  # the system's own key for it, used before ``keys``

    def shortcuts(self) -> list[QKeySequence]:
        """All keys of the command on this system."""
        if self.standard is not None and (found := QKeySequence.keyBindings(self.standard)):
            return found
        return [QKeySequence(key) for key in self.keys]

    @property
    def tip(self) -> str:
        """The help with the first key, as a tool tip shows it."""
        keys = self.shortcuts()
        return f"{self.help} ({keys[0].toString(QKeySequence.SequenceFormat.NativeText)})" if keys else self.help


Standard = QKeySequence.StandardKey

COMMANDS: tuple[Command, ...] = (
    Command("file.new", "New session", "File", "Begin a new session", ("Ctrl+N",), "new"),
    Command("file.open", "Open…", "File", "Open a session or sweep file", ("Ctrl+O",), "open"),
    Command("file.save", "Save", "File", "Save the session", ("Ctrl+S",), "save", 1),
    Command("file.save_as", "Save as…", "File", "Save the session under another name", ("Ctrl+Shift+S",), "", 1),
    Command("file.save_sweep", "Save a copy of the sweep…", "File", "Copy the open sweep to another file", (), "", 1),
    Command("file.import_spec", "Import settings…", "File", "Read all settings from a TOML file", (), "", 2),
    Command("file.export_spec", "Export settings…", "File", "Write all settings to a TOML file", (), "", 2),
    Command("file.quit", "Quit", "File", "Close the window; asks about unsaved work", ("Ctrl+Q",), "", 3),
    Command("edit.undo", "Undo", "Edit", "Undo the last edit", ("Ctrl+Z",), "undo", standard=Standard.Undo),
    Command("edit.redo", "Redo", "Edit", "Redo the edit undone last", ("Ctrl+Shift+Z",), "redo", standard=Standard.Redo),
    Command("run.step_action", "Run this step", "Run", "Do what the big button of the current step says",
            ("Ctrl+Return",), "", states=(IDLE,)),
    Command("run.all", "Run everything", "Run", "Data, training, attack and measurement in one run", ("Shift+F5",), "",
            states=(IDLE,)),
    Command("run.start", "Run", "Run", "Run, or go on after a pause", ("F5",), "play", 1, states=(IDLE, PAUSED)),
    Command("run.pause", "Pause", "Run", "Pause after the current step", ("F6",), "pause", 1, states=(RUNNING,)),
    Command("run.step", "Single step", "Run", "Do one step, then pause", ("F7",), "step", 1, states=(IDLE, PAUSED)),
    Command("run.stop", "Stop", "Run", "Stop the job; what was recorded stays", ("F8",), "stop", 1,
            states=(RUNNING, PAUSED)),
    Command("run.decision_map", "Map the selected sample", "Run",
            "What the network says in the plane of the selected sample and its adversarial one", ("Ctrl+M",), "", 2,
            states=(IDLE,)),
    Command("run.class_matrix", "Measure all pairs of classes", "Run",
            "Drive samples of each class to every other class", (), "", 2, states=(IDLE,)),
    Command("run.attack_checks", "Check this attack", "Run",
            "Look for misleading gradients, and test the attack on planted weaknesses", (), "", 2, states=(IDLE,)),
    Command("run.robustness", "Measure robustness", "Run",
            "Attacks of every kind at many budgets: robust accuracy, smallest norms, and signs of masked gradients", (), "", 2,
            states=(IDLE,)),
    Command("run.takeover", "Measure takeover", "Run",
            "Along the attack and across layers: when x_adv resembles its target class, beside every control", ("Ctrl+T",), "", 3,
            states=(IDLE,)),
    Command("run.falsifier", "Falsifier: random labels", "Run",
            "Train a network on random labels, attack it, and measure the same: success without entanglement?", (), "", 3,
            states=(IDLE,)),
    Command("run.hardening", "Compare adversarial trainings", "Run",
            "Train again from the same start, against attacks and by baselines; attack and measure every network", (), "", 3,
            states=(IDLE,)),
    Command("run.null", "Measure the null", "Run",
            "What networks of this architecture do before any training: the curve to beat", (), "", 3, states=(IDLE,)),
    Command("run.layers", "Split the layers", "Run",
            "Each layer's linear map, bias and activation apart, with the speed limit of the linear map", (), "", 3,
            states=(IDLE,)),
    Command("run.repeats", "Repeat over networks", "Run",
            "Train again from other seeds: intervals over networks, not over pairs", (), "", 3, states=(IDLE,)),
    Command("run.bell", "Bell test of the features", "Run",
            "Sign correlations and CHSH at every layer, and the mistakes that seem to exceed its bound", (), "", 3,
            states=(IDLE,)),
    Command("run.structure", "Measure sets of features", "Run",
            "Effective rank, similarity of layers and networks, and neural collapse, at every layer", (), "", 3,
            states=(IDLE,)),
    Command("run.all_pairs", "Measure all pairs of the test set", "Run",
            "Every pair of up to 10,000 test samples at every layer: how C is spread", (), "", 3, states=(IDLE,)),
    Command("run.vulnerability", "Relate contraction to vulnerability", "Run",
            "Train a fleet of networks and attack each: smallest perturbation against contraction", (), "", 3,
            states=(IDLE,)),
    Command("run.transferability", "Relate similarity to transfer", "Run",
            "Show each network's perturbations to all others: transfer against likeness", (), "", 3, states=(IDLE,)),
    Command("run.complexity", "Relate complexity to boost", "Run",
            "The law of linear networks over width and depth, and whether a fleet's parameters go with boost and robustness", (), "", 3,
            states=(IDLE,)),
    Command("run.max_likelihood", "Fit noise with a linear network", "Run",
            "Deep linear networks, by MaxLikelihood (our reconstruction) and by gradient descent, beside their controls", (), "", 3,
            states=(IDLE,)),
    Command("run.reconciliation", "Open the lock", "Run",
            "Reconcile features with a hidden image: fooling noise, raw noise, clean images, and the wrong lock", (), "", 3,
            states=(IDLE,)),
    Command("run.price", "Measure the price of entangling first", "Run",
            "MaxLikelihood layers before the hash: genuine and impostor readings, and how many hashes are left", (), "", 3,
            states=(IDLE,)),
    Command("run.sweep", "Run sweep", "Run", "Run the sweep of the settings as they stand, or go on with it",
            ("Ctrl+F5",), "sweep", 4),
    Command("run.sweep_pause", "Pause sweep", "Run", "Start no more points of the sweep; those that run are finished",
            ("Ctrl+F6",), "", 4),
    Command("run.sweep_stop", "Stop sweep", "Run", "Stop the sweep; its finished points are kept", ("Ctrl+F8",), "", 4),
    Command("view.live", "Live", "View", "Follow the run as it happens", ("L",), "live"),
    Command("view.previous_instant", "Previous moment", "View", "Move the time slider back", (",",)),
    Command("view.next_instant", "Next moment", "View", "Move the time slider on", (".",)),
    Command("view.maximise", "Maximise panel", "View", "Show only the panel in use, or all again", ("F11",), "maximise", 1),
    Command("view.side_by_side", "Compare side by side", "View",
            "Runs, session files and points of a sweep in columns: one panel, shared axes, and what differs", ("Ctrl+B",), "", 1),
    Command("view.reset_layout", "Reset layout", "View", "Put every panel back in its place", (), "", 1),
    Command("view.centred", "Centred features", "View", "Subtract the training mean before comparing features",
            ("C",), "", 2, checkable=True),
    Command("view.jobs", "Jobs", "View", "Show the jobs that run and wait", ("Ctrl+J",), "jobs", 3),
    Command("view.log", "Log", "View", "Show the log", ("Ctrl+L",), "log", 3, checkable=True),
    Command("view.theme_system", "Theme of the system", "View", "Light or dark after the system's", (), "", 4, checkable=True,
            exclusive="theme"),
    Command("view.theme_light", "Light theme", "View", "Always light", (), "", 4, checkable=True,
            exclusive="theme"),
    Command("view.theme_dark", "Dark theme", "View", "Always dark", (), "", 4, checkable=True,
            exclusive="theme"),
    Command("view.larger", "Larger text", "View", "Make every text larger", ("Ctrl++", "Ctrl+="), "", 5),
    Command("view.smaller", "Smaller text", "View", "Make every text smaller", ("Ctrl+-",), "", 5),
    Command("help.whats_this", "What is this?", "Help", "Click on anything to read what it is", ("Shift+F1",), "help"),
    Command("help.guide", "User's guide", "Help", "Open the guide", ("F1",)),
    Command("help.keys", "Keyboard", "Help", "List every key", ("Ctrl+/",)),
    Command("help.about", "About Rapidity Lab", "Help", "Version, licence and sources", (), "info", 1),
)  # fmt: skip


class Actions(QObject):
    """The QActions of all commands, kept on one widget so that their keys work in its whole window."""

    def __init__(self, owner: QWidget, theme: Theme, commands: tuple[Command, ...] = COMMANDS) -> None:
        super().__init__(owner)
        self.commands = {command.id: command for command in commands}
        self._actions: dict[str, QAction] = {}
        groups: dict[str, QActionGroup] = {}
        for command in commands:
            action = QAction(command.text, owner, checkable=command.checkable)
            action.setShortcuts(command.shortcuts())
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setToolTip(command.tip)
            action.setStatusTip(command.help)
            action.setWhatsThis(command.help)
            owner.addAction(action)
            if command.exclusive:
                groups.setdefault(command.exclusive, QActionGroup(self)).addAction(action)
            self._actions[command.id] = action
        self.set_theme(theme)

    def __getitem__(self, id: str) -> QAction:
        return self._actions[id]

    def __iter__(self) -> Iterator[QAction]:
        return iter(self._actions.values())

    def bind(self, id: str, slot: Callable[..., Any], *arguments: Any) -> None:
        """Call ``slot`` when the command is chosen; a checkable command passes whether it is on."""
        call = partial(slot, *arguments) if arguments else slot
        if self.commands[id].checkable:
            self._actions[id].triggered.connect(lambda checked: call(checked))
        else:
            self._actions[id].triggered.connect(lambda: call())

    def set_state(self, state: RunState) -> None:
        """Allow what can be used in this run state."""
        for id, command in self.commands.items():
            if command.states:
                self._actions[id].setEnabled(state in command.states)

    def set_sweep_state(self, state: str) -> None:
        """The same for what is done with the sweep; "none" where none is open."""
        self["run.sweep_pause"].setEnabled(state == "running")
        self["run.sweep_stop"].setEnabled(state in ("running", "paused"))
        self["file.save_sweep"].setEnabled(state != "none")

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons."""
        for id, command in self.commands.items():
            if command.icon:
                self._actions[id].setIcon(icon(command.icon, theme))

    def fill(self, bar: QMenuBar) -> dict[str, QMenu]:
        """Make the menus. Gives them by name, so that recent files and panels can be added."""
        menus: dict[str, QMenu] = {}
        for name in MENUS:
            menu = menus[name] = bar.addMenu(f"&{name}")
            menu.setToolTipsVisible(True)
            group = None
            for id, command in self.commands.items():
                if command.menu != name:
                    continue
                if group is not None and command.group != group:
                    menu.addSeparator()
                group = command.group
                menu.addAction(self._actions[id])
        return menus

    def key_list(self) -> list[tuple[str, str]]:
        """(keys, what they do) of every command that has a key, in the order of the menus."""
        written = QKeySequence.SequenceFormat.NativeText
        return [
            (" or ".join(key.toString(written) for key in command.shortcuts()), command.help)
            for command in self.commands.values()
            if command.shortcuts()
        ]
