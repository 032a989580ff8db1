"""The session file: everything an experiment said, in one SQLite file that a crash does not lose."""

from engine.session.codec import dump_json, load_json, pack, unpack
from engine.session.contents import Instant, Run
from engine.session.recorder import Recorder, Status
from engine.session.saving import TargetChanged
from engine.session.session import Session
from engine.session.table import Table
from engine.session.working_copy import Recoverable, discard, recoverable

__all__ = [
    "Instant",
    "Recorder",
    "Recoverable",
    "Run",
    "Session",
    "Status",
    "Table",
    "TargetChanged",
    "discard",
    "dump_json",
    "load_json",
    "pack",
    "recoverable",
    "unpack",
]
