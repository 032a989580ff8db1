"""What the machine computes on, in words. Needs no torch."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Device:
    """The machine's processor and memory."""

    name: str
    """The processor as its maker names it."""
    cores: int
    """Physical cores that this process may use."""
    threads: int
    """Logical processors that this process may use."""
    memory: int
    """Memory of the machine, bytes."""

    def __str__(self) -> str:
        cores = f"{self.cores} core{'s' if self.cores != 1 else ''}"
        threads = f", {self.threads} threads" if self.threads != self.cores else ""
        return f"{self.name}, {cores}{threads}, {self.memory / 2**30:.1f} GiB"


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """How much memory is in use now, bytes."""

    process: int
    """Resident memory of this process."""
    available: int
    """Memory the machine can still give without swapping."""
    total: int
    """Memory of the machine."""


def describe_device() -> Device:
    """The processor and memory of this machine, as far as the system tells."""
    threads = _usable_threads()
    return Device(
        name=_processor_name(),
        cores=max(1, min(psutil.cpu_count(logical=False) or threads, threads)),
        threads=threads,
        memory=int(psutil.virtual_memory().total),
    )


def memory_use() -> MemoryUse:
    """Memory in use by this process and left on this machine. Takes well under a millisecond."""
    machine = psutil.virtual_memory()
    return MemoryUse(int(psutil.Process().memory_info().rss), int(machine.available), int(machine.total))


def _usable_threads() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    try:
        for line in cpuinfo.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip() and value.strip().lower() != "unknown":
                return " ".join(value.split())
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine() or "CPU"
