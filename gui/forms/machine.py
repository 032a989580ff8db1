"""What this computer gives to sweeps: not a part of any experiment, and kept in the program's settings."""

from __future__ import annotations

from engine.specs.base import Spec, param

MACHINE = "machine"  # what stands for a part of the experiment in its form


class MachineSpec(Spec):
    """Where sweeps are computed. These belong to this computer, not to the experiment."""

    workers: int = param(
        0,
        "Processes that compute points side by side; 0 takes as many as cores and memory allow",
        label="Workers",
        unit="0: as fit",
        ge=0,
        le=1024,
    )
    scheduler: str = param(
        "",
        "Address of a Dask scheduler, as tcp://host:8786, whose workers compute instead; empty computes on this computer",
        label="Scheduler",
        max_length=300,
    )
