"""``attacks``: every attack, or one with all its parameters."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from engine.catalogue import Attack, attack_named, attacks
from engine.cli.parameter_help import parameter_lines
from engine.cli.terminal import add_json, to_standard_output, write_json


def add(commands: Any) -> None:
    """The command and its options."""
    parser = commands.add_parser("attacks", help="list every attack; of one, every parameter with its default")
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="show this attack alone, with its parameters: pgd, for example"
    )
    add_json(parser, "the same")
    parser.set_defaults(command=listing)


def listing(options: argparse.Namespace, _: Console) -> int:
    """Carry it out; returns the exit code."""
    chosen = attack_named(options.name) if options.name else None
    if options.json:
        write_json(options, chosen.as_json() if chosen else [attack.as_json() for attack in attacks()])
        return 0
    out = Console(highlight=False)
    with to_standard_output():
        if chosen:
            _print_attack(out, chosen)
        else:
            _print_list(out)
    return 0


def _print_list(out: Console) -> None:
    family = ""
    for attack in attacks():
        if attack.family != family:
            family = attack.family
            out.print(f"\n[bold]{escape(family)}[/bold]")
        norms = " ".join(value for value, _ in attack.norms)
        out.print(f"\n  [cyan]{escape(attack.title)}[/cyan]  attack.method={attack.method}  {norms}", soft_wrap=True)
        out.print(Padding(escape(attack.help), (0, 0, 0, 4)))
    out.print(
        "\nThe settings of one, with their defaults: python main.py attacks NAME, as in python main.py attacks pgd"
    )


def _print_attack(out: Console, attack: Attack) -> None:
    """One attack with all its parameters, as a TOML file and --set name them."""
    norms = " ".join(value for value, _ in attack.norms)
    out.print(f"[cyan]{escape(attack.title)}[/cyan]  attack.method={attack.method}  {norms}", soft_wrap=True)
    needs = "no gradients" if attack.gradient_free else "gradients"
    looks_for = "the smallest norm" if attack.minimal else "success within a budget"
    out.print(f"{escape(attack.family)}: looks for {looks_for}, needs {needs}.", soft_wrap=True)
    for text in (attack.help, attack.details):
        if text:
            out.print(escape(text))
    out.print(f"Source: {escape(attack.source)}. The page docs/attacks.md has the formula and the full source.\n")
    for p in attack.parameters:
        setting, help = parameter_lines("attack.", p)
        out.print(escape(setting.strip()), soft_wrap=True)
        out.print(Padding(escape(help.strip()), (0, 0, 0, 4)))
        for value, name in p.choices:
            if name.casefold() != value.casefold():
                out.print(Padding(escape(f"{value}: {name}"), (0, 0, 0, 6)))
