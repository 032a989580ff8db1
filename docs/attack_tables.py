"""Write the tables of docs/attacks.md from the attacks' specs, where each setting is written down.

``python -m docs.attack_tables`` rewrites what stands between ``<!-- settings of METHOD -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from engine.specs import AttackSpecBase, FixedBudgetSpec, Parameter, Spec, parameters, variants
from engine.specs.attacks import DecisionSpec

PAGE = Path(__file__).parent / "attacks.md"
BLOCK = re.compile(r"(<!-- settings of (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
ALL = "all"
"""Instead of a method: the settings that mean the same in every attack that has them."""
HEAD = "| setting | default | range | meaning |\n|---|---|---|---|\n"
NORMS = {"Linf": "L∞", "L2": "L2", "L1": "L1", "L0": "L0"}


def rewritten(page: str) -> str:
    """The page with its tables as the specs say; raises KeyError for a table of an attack that there is not."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{block(found[2])}\n\n{found[3]}", page)


def block(method: str) -> str:
    """What stands between the marks of an attack, or of what all have in common."""
    if method == ALL:
        return HEAD + "\n".join(row(each, named=True) for each in parameters(FixedBudgetSpec))
    kind = kind_of(method)
    common = parameters(FixedBudgetSpec)
    names = [each.name for each in common]
    fields = parameters(kind)
    own = [each for each in fields if each not in common and not (each.kind == "choice" and len(each.choices) == 1)]
    same = ", ".join(f"`{each.name}`" for each in fields if each in common)
    rows = [row(each, named=each.name not in names) for each in own]
    table = f"{HEAD}{chr(10).join(rows)}" if rows else "It has no settings of its own."
    return f"{facts(kind)}\n\n{table}" + (f"\n\nAs in every attack: {same}." if same else "")


def facts(kind: type[AttackSpecBase]) -> str:
    """What an attack is called, knows and needs, in a line."""
    fields = {each.name: each for each in parameters(kind)}
    norms = [NORMS[value] for value, _ in fields["norm"].choices]
    if issubclass(kind, DecisionSpec):
        needs = "the predicted class alone"
    else:
        needs = "class scores, no gradient" if kind.gradient_free else "gradients"
    goals = [value for value, _ in fields["goal"].choices]
    towards = "untargeted" if goals == ["untargeted"] else "targeted" if "untargeted" not in goals else "both goals"
    budget = "within ε" if "eps" in fields else "a number of pixels" if "pixels" in fields else "one patch"
    looks_for = "smallest norm" if kind.minimal else budget
    return f'`method = "{kind.model_fields["method"].default}"` · {", ".join(norms)} · {looks_for} · {towards} · needs {needs}'


def row(field: Parameter, *, named: bool) -> str:
    """One setting. The choices of those that all attacks have are explained in their own table, so ``named`` only there."""
    meaning = field.help + (f" ({field.unit})" if field.unit and field.unit not in field.help else "")
    cells = (f"`{field.name}` · {field.label}", f"`{shown(field.default)}`", allowed(field, named=named), meaning)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def allowed(field: Parameter, *, named: bool) -> str:
    """The values that a setting may have."""
    if field.kind == "choice":
        return ", ".join(
            f"`{value}` {name}" if named and name.casefold() != value.casefold() else f"`{value}`"
            for value, name in field.choices
        )
    if field.kind == "bool":
        return "`true`, `false`"
    return (
        field.range_text.replace(">=", "≥")
        .replace("<=", "≤")
        .replace("1e+06", "10⁶")
        .replace("1e+07", "10⁷")
        .replace("1e+10", "10¹⁰")
        or "a name"
    )


def shown(value: object) -> str:
    """A default as a TOML file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value) or '""'


def kind_of(method: str) -> type[AttackSpecBase]:
    """The spec class of a method."""
    kind: type[Spec] = variants("attack")[method]
    assert issubclass(kind, AttackSpecBase)
    return kind


def main() -> None:
    """Rewrite the page."""
    before = PAGE.read_text(encoding="utf-8")
    after = rewritten(before)
    if after != before:
        PAGE.write_text(after, encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}: {'rewritten' if after != before else 'as the specs say'}\n")


if __name__ == "__main__":
    main()
