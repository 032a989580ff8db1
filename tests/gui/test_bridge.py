"""From the mailbox to the window: fetched at each tick, in order, never more than a tick can take."""

from __future__ import annotations

import pytest

from engine.events import Progress, Record
from engine.runtime import Finished, Mailbox, Started
from gui.bridge import DELIVERIES_A_TICK, Bridge


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def bridge(qapp, mailbox):
    made = Bridge(mailbox)
    yield made
    made.stop()


def heard(bridge: Bridge) -> list[object]:
    told: list[object] = []
    bridge.delivered.connect(told.append)
    bridge.ticked.connect(lambda: told.append("tick"))
    return told


def test_a_tick_with_nothing_new_delivers_nothing(bridge):
    told = heard(bridge)
    bridge.tick()
    assert told == ["tick"]


def test_records_of_many_steps_come_in_one_delivery(bridge, mailbox):
    told = heard(bridge)
    for step in range(100):
        mailbox.post(1, Record("steps", {"step": step}))
        mailbox.post(1, Progress(step, 100, ""))
    bridge.tick()
    delivery, tick = told
    assert tick == "tick"
    assert [record.row["step"] for record in delivery.records] == list(range(100))
    assert delivery.progress == Progress(99, 100, "")


def test_jobs_come_in_order_within_one_tick(bridge, mailbox):
    told = heard(bridge)
    for job in (1, 2, 3):
        mailbox.announce(Started(job, "data", job))
        mailbox.post(job, Record("steps", {"step": job}))
        mailbox.announce(Finished(job))
    bridge.tick()
    assert told[-1] == "tick"
    jobs = [record.row["step"] for delivery in told[:-1] for record in delivery.records]
    assert jobs == [1, 2, 3]


def test_a_long_queue_of_jobs_is_spread_over_ticks_and_nothing_is_lost(bridge, mailbox):
    count = 3 * DELIVERIES_A_TICK
    for job in range(1, count + 1):
        mailbox.announce(Started(job, "data", None))
        mailbox.post(job, Record("steps", {"job": job}))
        mailbox.announce(Finished(job))
    told = heard(bridge)
    bridge.tick()
    assert len(told) == DELIVERIES_A_TICK + 1
    for _ in range(10):
        bridge.tick()
    deliveries = [each for each in told if each != "tick"]
    assert [r.row["job"] for d in deliveries for r in d.records] == list(range(1, count + 1))


def test_it_ticks_by_itself_until_it_is_stopped(bridge, mailbox, qtbot):
    with qtbot.waitSignals([bridge.ticked] * 3, timeout=5000):
        bridge.start()
    mailbox.announce(Finished(1))
    with qtbot.waitSignal(bridge.delivered, timeout=5000):
        pass
    bridge.stop()
    with qtbot.assertNotEmitted(bridge.ticked, wait=100):
        mailbox.announce(Finished(2))
