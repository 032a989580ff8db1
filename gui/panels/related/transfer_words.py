"""What is said of transfer: above its plots, below them, in a line, and of one pair of networks."""

from __future__ import annotations

import numpy as np

from gui.panels.related.table import Section, p_text, signed
from gui.panels.related.transfer_numbers import CORRECTED, SIMILARITIES, TRANSFER, Transfers, similarity_tested
from gui.plots.says import figure

SHORT = {
    "cka": "CKA",
    "rsa": "RSA",
    "gradient_cosine": "gradient cosine",
    "source": "source",
    "target": "target",
}
VIEWS = {TRANSFER: "of inputs both see rightly", CORRECTED: "corrected for clean errors"}


def cell_text(value: float, which: int) -> str:
    """A number in a cell of a map: transfer (0) in percent, a similarity without its zero."""
    if not np.isfinite(value):
        return ""
    return f"{value * 100:.0f}" if which == 0 else f"{value:.2f}".replace("-", "−").replace("0.", ".")


def label_of(numbers: Transfers, name: str) -> str:
    """A similarity in full."""
    assert numbers.frame is not None
    return str(numbers.frame.info["labels"].get(name, name))


def map_title(numbers: Transfers, which: int) -> str:
    """What stands above a map."""
    assert numbers.frame is not None
    if which == 0:
        return f"transfer of {numbers.attack_label} (%)" + ("" if numbers.every else ", perturbed on the source")
    name = numbers.similarity_of(which)
    if name not in numbers.frame.arrays:
        return f"{SHORT[name]}: once all transfer is measured"
    return SHORT[name] if numbers.every else label_of(numbers, name)


def scatter_title(numbers: Transfers, count: int) -> str:
    """What stands above the points, of which there are so many."""
    assert numbers.frame is not None
    if numbers.similarity in numbers.frame.arrays:
        return f"{count:,} ordered pairs of networks"
    return f"transfer against {SHORT[numbers.similarity]}: once all transfer is measured"


def sections(numbers: Transfers) -> list[Section]:
    """The tests of the attack drawn, by similarity."""
    statistics, found = numbers.statistics(), []
    for name in SIMILARITIES:
        mine = tuple(each for each in statistics if similarity_tested(each["name"]) == name)
        if mine:
            found.append(Section(f"{SHORT[name]} and transfer of {numbers.attack_label} (Mantel)", mine))
    return found


def summary(numbers: Transfers) -> str:
    """How much transfers and how it goes with similarity, in a line."""
    assert numbers.frame is not None
    info, count = numbers.frame.info, len(numbers.names)
    done = int(np.isfinite(numbers.transfer).any(1).sum())
    words = [f"{count} networks"] if info["done"] else [f"source {done} of {count}"]
    mean = numbers.attack_info.get("mean_transfer", info["mean_transfer"])
    if mean is not None:
        words.append(f"mean transfer {mean:.0%}" + (f" of {numbers.attack_label}" if len(numbers.attacks) > 1 else ""))
    found = next((each for each in numbers.statistics() if each["name"] == numbers.similarity), None)
    if found is not None:
        words.append(f"ρ = {signed(found['rho'])}, p = {p_text(found['p'])}")
    return " · ".join(words)


def caption(numbers: Transfers) -> str:
    """What was measured, and what to mind."""
    assert numbers.frame is not None
    info, attack = numbers.frame.info, numbers.attack_info
    own = attack.get("white_box", info["white_box"])
    white = f"; on the network itself {own:.0%}" if own is not None else ""
    norm = str(info["norm"]).replace("L2", "L₂").replace("Linf", "L∞")
    kind = numbers.attack_label if attack["name"] == "noise" else f"Untargeted {norm} {numbers.attack_label}"
    steps = "" if attack["name"] in ("noise", "fgsm") else f", {info['steps']} steps"
    says = f"Measurement. {kind}, ε = {info['eps']:g} ({info['eps_rule']}){steps}, {info['inputs']} inputs{white}."
    if numbers.view == CORRECTED and CORRECTED in numbers.frame.arrays:
        says += " Drawn is (err_adv − err_clean) / (1 − err_clean) of the target; tests are of transfer among inputs that both see rightly."
    shown = [numbers.matrix(which) for which in range(1, numbers.maps)]
    if any(np.isfinite(values).any() and np.nanmin(values) < 0 for values in shown):
        says += " Similarities below 0 have the colour of 0."
    wrong = next((str(each["wrong"]) for each in numbers.statistics() if each["wrong"]), "")
    if wrong:
        says += f" ⚠ Struck out, wrong: {wrong.removeprefix('Wrong: ')}"
    return says


def describe(numbers: Transfers, row: int, column: int) -> str:
    """What the readout says of a pair (source, target)."""
    frame, names = numbers.frame, numbers.names
    if frame is None:
        return ""
    transfer, low, high, corrected = (
        numbers.entry(name, row, column) for name in (TRANSFER, "transfer_low", "transfer_high", CORRECTED)
    )
    counted = int(frame.arrays["counted"][row, column])
    ends = f" [{low:.1%}, {high:.1%}]" if np.isfinite(low) else ""
    share = f"{transfer:.1%}{ends} of {counted} inputs" if np.isfinite(transfer) else "not measured"
    if row == column:
        lines = [f"network {row + 1}, {names[row]}, on itself", f"success {share}"]
    else:
        lines = [f"{row + 1}, {names[row]}  →  {column + 1}, {names[column]}", f"transfer {share}"]
    if np.isfinite(corrected):
        lines.append(f"corrected for clean errors {corrected:.1%}".replace("-", "−"))
    for name in SIMILARITIES:
        if name in frame.arrays:
            lines.append(f"{SHORT[name]} {figure(float(frame.arrays[name][row, column]))}")
    return "\n".join(lines)
