"""The device in words."""

from __future__ import annotations

import os
from pathlib import Path

from engine.runtime import Device, describe_device, memory_use
from engine.runtime.devices import _processor_name


def test_the_device_has_a_name_cores_and_memory() -> None:
    device = describe_device()
    assert device.name
    assert 1 <= device.cores <= device.threads <= (os.cpu_count() or 1)
    assert device.memory > 2**28


def test_the_device_reads_as_a_line() -> None:
    assert str(Device("Abacus 3000", 4, 8, 16 * 2**30)) == "Abacus 3000, 4 cores, 8 threads, 16.0 GiB"
    assert str(Device("Abacus", 1, 1, 2**29)) == "Abacus, 1 core, 0.5 GiB"


def test_the_processor_is_named_as_its_maker_does(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name\t: Abacus(R)   3000 @ 1 Hz\n")
    assert _processor_name(tmp_path / "cpuinfo") == "Abacus(R) 3000 @ 1 Hz"
    assert _processor_name(tmp_path / "absent")


def test_memory_in_use_is_within_the_machine() -> None:
    use = memory_use()
    assert 2**20 < use.process < use.total
    assert 0 < use.available <= use.total
