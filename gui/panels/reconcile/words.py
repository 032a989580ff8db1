"""What is fed to the lock: names and colours, the same on every page; and the sentences that must not be missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.experiments.keys import artifact_keys
from gui.panels.reconcile.message import digits_of
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.specs import ExperimentSpec

FOOLING, RAW, CLEAN, WRONG = range(4)
KINDS = ("fooling noise", "raw noise", "clean test image", "wrong-class lock")
SHORT = ("fooling", "raw", "clean", "wrong lock")
TIPS = (
    "Pure noise, changed within the budget until the network is sure of the class",
    "The same noise before it was changed (control)",
    "A test image of the class",
    "The fooling noise, fed to the lock of another class (control)",
)
GROUPS = ("adv_target", "random_target", "clean_target", "adv_true")  # the pair groups whose colours they share

HONEST = (
    "Every pixel of the output comes from the helper and the code; the noise contributes only the key “the network "
    "thinks this is class {name}”. Reconciliation, not encryption."
)
BRIEF = "The output comes from helper and code; the noise is only the key. Reconciliation, not encryption."
PRICE = (
    "“Entanglement” raises noise tolerance only by destroying the entropy that makes the secret a secret. With r > 1 no "
    "secrecy is claimed: reconciliation, not encryption."
)


def colour(theme: Theme, kind: int) -> str:
    """The colour of a kind."""
    return theme.group_colour(GROUPS[kind])


def class_name(frame: Frame, number: int) -> str:
    """A class as the data set calls it."""
    classes = frame.info["classes"]
    return str(classes[number]) if 0 <= number < len(classes) else "none" if number < 0 else str(number)


def default_layer(taps: Iterable[Mapping[str, Any]]) -> str:
    """The tap that is hashed where none is named: the last one before the class scores."""
    inner = [str(tap["name"]) for tap in taps if tap["kind"] != "logits"]
    return inner[-1] if inner else ""


def differences(frame: Frame, spec: ExperimentSpec) -> list[str]:
    """How the settings as they stand differ from those that a frame was made with, "class 3 → 5"; none if they agree."""
    info, now = frame.info, spec.reconcile
    chosen, code = info["chosen"], info["code"]
    layer = now.layer or default_layer(info["taps"])
    pairs: list[tuple[str, Any, Any]] = [
        ("class", class_name(frame, int(chosen["class"])), class_name(frame, now.chosen_class)),
        ("layer", chosen["layer"], layer),
        ("r", int(info["repetition"]), now.repetition),
        ("code length", int(code["n"]), now.code_length),
        ("corrects", int(code["t"]), now.corrects),
        ("ε", float(info["eps"]), now.eps),
        ("confidence", float(info["confidence"]), now.confidence),
        ("seed", int(info["seed"]), spec.seed),
    ]
    found = _changes(pairs) + _network(frame, spec)
    message = frame.arrays.get("message")
    if now.message and message is not None and digits_of(message) != now.message:
        found.append("another message")
    elif info.get("message_given") and not now.message:
        found.append("message → a training sample")
    return found


def differences_of_price(frame: Frame, spec: ExperimentSpec) -> list[str]:
    """The same of a frame of the price."""
    info, now = frame.info, spec.reconcile
    pairs: list[tuple[str, Any, Any]] = [
        ("N/n", int(info["ratio"]), now.price_ratio),
        ("r", int(info["repetition"]), now.price_repetition),
        ("genuine C", float(info["correlation"]), now.price_correlation),
        ("identities", int(info["identities"]), now.price_pairs),
        ("code length", int(info["code"]["n"]), now.code_length),
        ("corrects", int(info["code"]["t"]), now.corrects),
    ]
    if now.layer:
        pairs.append(("layer", info["layer"], now.layer))
    if info["done"]:
        pairs.insert(0, ("layers", len(frame.arrays["depth"]) - 1, now.price_depth))
    return _changes(pairs) + _network(frame, spec)


def _changes(pairs: Iterable[tuple[str, Any, Any]]) -> list[str]:
    return [f"{name} {_short(was)} → {_short(new)}" for name, was, new in pairs if was != new]


def _network(frame: Frame, spec: ExperimentSpec) -> list[str]:
    """Data, architecture, training and seed are all in the key of the weights."""
    same = frame.info["key"] == artifact_keys(spec)["weights"]
    return [] if same or frame.info.get("seed", spec.seed) != spec.seed else ["another network, or its data"]


def percent(value: float, places: int = 0) -> str:
    """A share for a readout; a dash where there is none. What is not all or nothing never reads as if it were."""
    if not np.isfinite(value):
        return "–"
    shown = f"{value:.{places}%}"
    if 0 < value < 1 and float(shown[:-1]) in (0.0, 100.0):
        edge = 10.0**-places
        return f"<{edge:g}%" if value < 0.5 else f">{100 - edge:g}%"
    return shown


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
