"""Short names of pair groups for chips; the full ones stand in tool tips and readouts."""

from __future__ import annotations

SHORT = {
    "same": "same class",
    "different": "different class",
    "target_members": "target class (ceiling)",
    "adv_target": "x_adv · target",
    "adv_success": "x_adv · target (fooled only)",
    "clean_target": "x · target",
    "random_target": "random · target (control)",
    "adv_true": "x_adv · true class",
    "clean_adv": "x · x_adv",
    "clean_random": "x · random (control)",
}
OF_ATTACK = ("target_members", "adv_target", "clean_target", "random_target")
BEFORE_ATTACK = ("same", "different")


def short(name: str, label: str) -> str:
    """What a chip says of a group."""
    return SHORT.get(name, label)
