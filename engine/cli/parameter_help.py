"""Every parameter with its range and help, as --set and the TOML file name it."""

from __future__ import annotations

from typing import Any

from engine.specs import PARTS, ExperimentSpec, discriminator, parameters, variants


def parameter_help() -> str:
    """All parameters of all specs, as --set and the TOML file name them."""
    lines = ["parameters (for the TOML file and --set):", ""]
    for p in parameters(ExperimentSpec):
        lines += parameter_lines("", p)
    for part in PARTS:
        for name, spec in variants(part).items():
            lines.append("")
            chosen = f"  with {discriminator(part)} = {name}" if name else ""
            lines.append(f"[{part}]{chosen}: {(spec.__doc__ or '').splitlines()[0]}")
            for p in parameters(spec):
                lines += parameter_lines(f"{part}.", p)
    return "\n".join(lines)


def parameter_lines(prefix: str, p: Any) -> list[str]:
    """One parameter: its setting with its range, and what it is."""
    limits = f"  [{p.range_text}]" if p.range_text else ""
    unit = f" ({p.unit})" if p.unit and p.unit not in p.help else ""
    return [f"  {prefix}{p.name} = {_written(p.default)}{limits}", f"      {p.help}{unit}"]


def _written(value: Any) -> str:
    """A value as a TOML file has it, without the quotes of a text that is not empty."""
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'
