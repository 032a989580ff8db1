"""Jobs, the engine thread, the mailbox and the device: runs experiments, knows none of them, imports no torch."""

from engine.runtime.commands import Cancel, Command, Pause, Resume, Shutdown, Start, Step
from engine.runtime.devices import Device, MemoryUse, describe_device, memory_use
from engine.runtime.engine_thread import Engine
from engine.runtime.lifecycle import (
    Cancelled,
    Ending,
    EngineFailed,
    EngineReady,
    Failed,
    Finished,
    Lifecycle,
    Paused,
    Queued,
    RecorderFailed,
    Resumed,
    Started,
)
from engine.runtime.mailbox import Delivery, Mailbox, Statistics
from engine.runtime.recording import RecorderLike, RunEnd

__all__ = [
    "Cancel",
    "Cancelled",
    "Command",
    "Delivery",
    "Device",
    "Ending",
    "Engine",
    "EngineFailed",
    "EngineReady",
    "Failed",
    "Finished",
    "Lifecycle",
    "Mailbox",
    "MemoryUse",
    "Pause",
    "Paused",
    "Queued",
    "RecorderFailed",
    "RecorderLike",
    "Resume",
    "Resumed",
    "RunEnd",
    "Shutdown",
    "Start",
    "Started",
    "Statistics",
    "Step",
    "describe_device",
    "memory_use",
]
