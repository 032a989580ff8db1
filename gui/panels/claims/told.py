"""The whole board taken away: as text to be read, and as rows of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gui.panels.claims.card import ClaimCard
from gui.panels.claims.words import HEADER, value_text


def as_text(cards: Iterable[ClaimCard]) -> str:
    """The board as text."""
    parts = [HEADER]
    for card in cards:
        claim, found = card.claim, card.verdict
        lines = [f"[{claim.versions}] {claim.text}", f"  {card.state.upper()}"]
        if found is not None:
            lines[-1] += f". {found.sentence}"
            lines += [f"  - {number.label}: {value_text(number)}" for number in found.numbers]
            lines += [f"  Decides: {found.control}."] if found.control else []
        if card.left:
            lines.append(f"  {card.needs.full_text}")
        lines.append(f"  {'Test' if claim.tested_by else 'Why'}: {claim.how}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def as_rows(cards: Iterable[ClaimCard]) -> Iterator[Sequence[Any]]:
    """One row a number; one row without a number for a claim that has no verdict. Names first."""
    yield ["claim", "versions", "text", "state", "sentence", "control", "missing", "number", "value", "low", "high"]
    for card in cards:
        claim, found = card.claim, card.verdict
        head = [claim.key, claim.versions, claim.text, card.state]
        says = [found.sentence, found.control] if found is not None else ["", ""]
        rest = [" ".join(card.left)]
        for number in found.numbers if found is not None else ():
            ends = ["" if math.isnan(v) else v for v in (number.value, number.low, number.high)]
            yield [*head, *says, *rest, number.label, *ends]
        if found is None or not found.numbers:
            yield [*head, *says, *rest, "", "", "", ""]
