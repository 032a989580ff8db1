"""The numbers that say how an experiment came out, each with its interval, and where in the session they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.session import Session, Table


@dataclass(frozen=True)
class Share:
    """A share of n independent inputs with its 95% interval (E. B. Wilson 1927, "Probable inference")."""

    name: str
    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, name: str, value: float, n: int) -> Share:
        """``value`` is a share in [0, 1] of ``n`` inputs."""
        from scipy.stats import binomtest

        interval = binomtest(round(value * n), n).proportion_ci(method="wilson")
        return cls(name, value, float(interval.low), float(interval.high), n)

    def __str__(self) -> str:
        return f"{self.value:.1%} [{self.low:.1%}, {self.high:.1%}] of {self.n:,}"


def shares(session: Session) -> Iterator[Share]:
    """Test accuracy and attack success of the latest training and attack in a session."""
    for name, table, column, count in (
        ("test accuracy", "epochs", "test_accuracy", "test_samples"),
        ("attack success", "attack", "success_so_far", "samples"),
        ("the same before the attack", "attack", "success_before", "samples"),
    ):
        found = session.latest_table(table)
        if len(found) and column in found.columns:
            yield Share.of(name, float(found.column(column)[-1]), int(found.column(count)[-1]))


@dataclass(frozen=True)
class Row:
    """A group of the profile at two layers: (mean, low, high) at each, and the number of inputs."""

    group: str
    at: tuple[tuple[float, float, float], ...]
    n: int


def profile_rows(profile: Table) -> tuple[tuple[str, ...], list[Row]]:
    """Names of the input and the last hidden layer, and the mean centred C of every group there, trained network.

    The logits are left out: their correlation is what the attack asked for. Empty where nothing was measured.
    """
    if not len(profile):
        return (), []
    chosen = np.ones(len(profile), dtype=bool)
    for name, value in (("net", "trained"), ("view", "centred"), ("quantity", "C")):
        chosen &= profile.column(name) == value
    taps = {int(t): str(name) for t, name in zip(profile.column("tap_index"), profile.column("tap"), strict=True)}
    order = sorted(taps)
    ends = tuple(dict.fromkeys((order[0], order[-2] if len(order) > 1 else order[0])))
    rows = []
    for group in dict.fromkeys(profile.column("group")[chosen]):
        own = chosen & (profile.column("group") == group)
        at = [np.flatnonzero(own & (profile.column("tap_index") == tap)) for tap in ends]
        if all(len(found) for found in at):
            values = tuple(
                (
                    float(profile.column("mean")[found[0]]),
                    float(profile.column("low")[found[0]]),
                    float(profile.column("high")[found[0]]),
                )
                for found in at
            )
            rows.append(Row(str(group), values, int(profile.column("n")[at[0][0]])))
    return tuple(taps[tap] for tap in ends), rows


def run_of(session: Session, topic: str) -> int | None:
    """The run whose frame of a topic is the latest."""
    return next((instant.run for instant in reversed(session.instants()) if topic in instant.topics), None)


def run_of_table(session: Session, name: str) -> int | None:
    """The latest run that recorded a table."""
    return next((run.id for run in reversed(session.runs()) if name in session.tables(run.id)), None)
