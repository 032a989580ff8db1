"""When probes happen, and which of them are kept."""

from itertools import pairwise

import pytest

from engine.experiments.schedule import ProbeSchedule
from engine.specs import ProbeSpec


def run(schedule: ProbeSchedule, steps: int, step_seconds: float, probe_seconds: float) -> list[int]:
    probed = []
    for step in range(1, steps + 1):
        schedule.trained(step_seconds)
        if schedule.due(step):
            probed.append(step)
            schedule.probed(probe_seconds)
    return probed


def test_a_fixed_interval_probes_exactly_there_and_at_the_end() -> None:
    assert run(ProbeSchedule(ProbeSpec(every=10), 25), 25, 0.001, 1.0) == [10, 20, 25]


@pytest.mark.parametrize("budget", [0.01, 0.03, 0.2])
def test_automatic_probing_stays_within_its_budget(budget: float) -> None:
    schedule = ProbeSchedule(ProbeSpec(budget=budget), 10_000)
    schedule.probed(0.05)
    probed = run(schedule, 10_000, 0.004, 0.05)
    spent = 0.05 * (len(probed) - 1)  # the last one is owed to the reader whatever it costs
    assert spent <= budget * 10_000 * 0.004
    assert spent >= 0.8 * budget * 10_000 * 0.004


def test_probing_adapts_when_probes_become_dearer() -> None:
    schedule = ProbeSchedule(ProbeSpec(budget=0.03), 100_000)
    cheap = run(schedule, 5_000, 0.001, 0.001)
    dear = run(schedule, 5_000, 0.001, 0.1)
    assert len(cheap) > 10 * len(dear)


def test_the_last_step_is_always_probed_and_kept() -> None:
    schedule = ProbeSchedule(ProbeSpec(budget=0.001), 7)
    schedule.probed(100.0)
    assert run(schedule, 7, 0.001, 100.0) == [7]
    assert schedule.keep(7)


def test_only_so_many_probes_are_kept_evenly_spread() -> None:
    schedule = ProbeSchedule(ProbeSpec(every=1), 100_000)
    kept = [step for step in range(1, 100_001) if schedule.keep(step)]
    gaps = [b - a for a, b in pairwise(kept[:-1])]
    assert len(kept) <= ProbeSchedule.KEPT + 1
    assert max(gaps) - min(gaps) <= 1
