"""What the Sweep step says of the sweep that its settings describe: what is left of it, what that costs, what to press."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.errors import SpecError, SweepError
from engine.specs import ExperimentSpec
from engine.sweep.cost import Cost, cost, duration
from engine.sweep.local import workers
from engine.sweep.points import Points
from gui.steps import sweep_action
from gui.sweeps import Computer, file_of, same_points

if TYPE_CHECKING:
    from engine.sweep.store import SweepStore

Deed = Literal["run", "show", "retry", "none"]


@dataclass(frozen=True)
class Outlook:
    """A sweep before it is run, or before it goes on."""

    cost: Cost | None = None
    """Of the points that are left; None where the settings are no sweep."""
    counts: Mapping[str, int] | None = None
    """Points by status in its file; None where there is none yet."""
    problem: str = ""
    hope: bool = True
    """Whether some failed points may succeed when they are tried again."""
    hopeless: bool = False
    """Whether some failed points never can: their settings are impossible."""

    @property
    def left(self) -> int | None:
        """Points that wait in its file."""
        return None if self.counts is None else waiting(self.counts)


@dataclass(frozen=True)
class Offer:
    """The big button, why it waits, and the quiet line above it."""

    label: str
    note: str
    deed: Deed = "run"
    tip: str = "The points that are finished are kept; run again to go on"


def waiting(counts: Mapping[str, int]) -> int:
    """How many points are not done, whatever came of those that are."""
    return counts.get("waiting", 0) + counts.get("running", 0)


def look_ahead(spec: ExperimentSpec, store: SweepStore | None, computer: Computer) -> Outlook:
    """What is left of a sweep and what it costs; ``store`` is its file where that is open. For any thread."""
    try:
        points = Points(spec)
    except SpecError as error:
        return Outlook(problem=str(error))
    so_far = _so_far(spec, store)
    counts = so_far.counts
    slots = 1 if computer.scheduler else min(computer.workers or workers(), len(points))
    left = None if counts is None else waiting(counts)
    found = cost(points, so_far.seconds, slots, left)
    try:
        points.spec(0)
    except SpecError as error:
        return Outlook(found, counts, f"Its first point fails: {error}", so_far.hope, so_far.hopeless)
    return Outlook(found, counts, "", so_far.hope, so_far.hopeless)


class _SoFar(NamedTuple):
    """What the file of a sweep holds; ``seconds`` are those that finished points took."""

    counts: dict[str, int] | None = None
    seconds: Sequence[float] = ()
    hope: bool = True
    hopeless: bool = False


def _so_far(spec: ExperimentSpec, store: SweepStore | None) -> _SoFar:
    """Of the open file, or of the one that would be gone on with."""
    from engine.sweep.store import SweepStore

    try:
        if store is not None:
            return _read(store)
        path = file_of(spec)
        if path.is_file():
            with SweepStore.open(path) as there:
                if same_points(there.spec, spec):
                    return _read(there)
    except SweepError:
        pass  # closed meanwhile, or no sweep: told when it is run
    return _SoFar()


def _read(store: SweepStore) -> _SoFar:
    from engine.sweep.hopeless import hope_and_none

    took = (float(each) for each in store.column("seconds")["seconds"])
    counts: dict[str, int] = dict(store.counts())
    asked = counts.get("failed", 0) and not waiting(counts)  # else it is not said
    hope, hopeless = hope_and_none(store) if asked else (True, False)
    return _SoFar(counts, [each for each in took if each == each], hope, hopeless)


def offer(
    spec: ExperimentSpec, outlook: Outlook | None, state: str, counts: Mapping[str, int], computer: Computer
) -> Offer:
    """What to press and what is said.

    ``state`` is that of the open sweep where it is this one, else "none", and ``counts`` are its points as last read.
    """
    if not spec.sweep.axes:
        return Offer("Run sweep", "Add an axis first: a field that varies.", "none", "Add an axis first")
    if state in ("running", "paused", "stopping") and counts:
        return _under_way(state, counts)
    if outlook is None:
        return Offer(sweep_action(spec), "")
    known = counts if state == "idle" and counts else outlook.counts
    if known is not None and not waiting(known):
        return _all_done(known, outlook, is_open=state == "idle")
    return _to_run(spec, outlook, computer)


def _under_way(state: str, counts: Mapping[str, int]) -> Offer:
    total, left = sum(counts.values()), waiting(counts)
    far = f"{_done(total, left)}."
    if state == "paused":
        return Offer(f"Go on with {_points(left)}", f"Paused: {far}")
    if state == "stopping":
        return Offer("Stopping…", far, "none", "It stops now; finished points are kept")
    return Offer("Show the running sweep", f"It runs: {far}", "show", "Pause and stop it in the Sweep panel")


def _all_done(counts: Mapping[str, int], outlook: Outlook, is_open: bool) -> Offer:
    total, failed, cancelled = sum(counts.values()), counts.get("failed", 0), counts.get("cancelled", 0)
    if not failed and not cancelled:
        said = "Its point is finished." if total == 1 else f"All {total:,} points are finished."
    else:
        came = ((counts.get("finished", 0), "finished"), (failed, "failed"), (cancelled, "cancelled"))
        head = "Its point is done" if total == 1 else f"All {total:,} points are done"
        said = f"{head}: {', '.join(f'{n:,} {word}' for n, word in came if n)}."
    if not is_open:
        return Offer(f"Open sweep of {_points(total)}", said, tip="Open its file: there is nothing left to run in it")
    if failed and outlook.hope:
        said += " Those whose settings are impossible will fail again." if outlook.hopeless else ""
        return Offer(f"Retry {failed:,} failed point{'s' if failed != 1 else ''}", said, "retry", "Run them once more")
    if failed:
        said += " To retry them is of no use: their settings are impossible."
    more = "Retry cancelled points in the Sweep panel" if cancelled else "Change an axis to run other points"
    return Offer(f"Run sweep of {_points(total)}", f"{said} {more}.", "none", f"{said} {more}.")


def _to_run(spec: ExperimentSpec, outlook: Outlook, computer: Computer) -> Offer:
    found, counts = outlook.cost, outlook.counts
    note = "" if found is None else f"= {found.sentence}"
    if found is not None and computer.scheduler:
        note = f"= {_points(found.points)}, about {duration(found.seconds)} of one core's computing."
    label = sweep_action(spec)
    if counts is not None and found is not None and found.points < sum(counts.values()):
        label = f"Go on with {_points(found.points)}"
    return Offer(label, f"{note} {outlook.problem}".strip())


def how_far(name: str, path: object, counts: Mapping[str, int]) -> str:
    """Of a sweep that would be stopped: how far it is, and what becomes of it."""
    total, left = sum(counts.values()), waiting(counts)
    return (
        f"“{name}” is under way: {_done(total, left)}. They are kept in its file, and the "
        f"{left:,} that {'is' if left == 1 else 'are'} left can be gone on with when it is opened again: {path}"
    )


def waits(name: str, outlook: Outlook, computer: Computer) -> str:
    """Of a sweep that was opened: how much of it is there, and what the rest takes; "" where nothing waits."""
    left = outlook.left
    if not left or outlook.cost is None or outlook.counts is None:
        return ""
    over = sum(outlook.counts.values()) - left
    kept = f"{over:,} of its points are there, " if over else ""
    took = "." if computer.scheduler else f": {outlook.cost.takes}"
    return f"“{name}”: {kept}{_points(left)} wait{'s' if left == 1 else ''}{took}"


def _done(total: int, left: int) -> str:
    return f"{total - left:,} of {_points(total)} {'is' if total == 1 else 'are'} done"


def _points(count: int) -> str:
    return f"{count:,} point{'s' if count != 1 else ''}"
