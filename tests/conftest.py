"""What all tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

# before torch is loaded: tests run beside each other, and small networks want no more threads
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest

# no deadline for one example: how long it takes says more of what else the machine does than of the code;
# and always the same examples: whoever changed something else shall not be told of what chance finds
hypothesis.settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")

# a shell that starts the tests in the background has Ctrl-C ignored, and the programs that tests start would inherit that
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"
LONG_FIRST = ("gui/test_window_", "engine/test_cli", "engine/report", "engine/experiments", "oracles", "engine/attacks")
"""Where the slow files are. The short ones, at the end, fill whatever time one process is ahead of the other."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Proofs that take minutes run only where they are asked for; in parallel, files that take long begin first."""
    if "torture" not in config.option.markexpr:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("torture")])
        items[:] = [item for item in items if not item.get_closest_marker("torture")]
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.path.relative_to(Path(__file__).parent).as_posix()))


def _rank(file: str) -> int:
    return next((place for place, start in enumerate(LONG_FIRST) if file.startswith(start)), len(LONG_FIRST))


@pytest.fixture(scope="session", autouse=True)
def _engines_have_time_to_end() -> None:
    """A busy machine may take longer than a person at a window would wait."""
    from engine.lab import Lab
    from engine.runtime import Engine

    Engine.close.__defaults__ = Lab.close.__defaults__ = (120.0,)


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """Real MNIST in IDX files: the folder RAPIDITY_MNIST names, or shared/data/mnist beside the project."""
    folder = Path(os.environ.get("RAPIDITY_MNIST") or BESIDE)
    if not folder.is_dir():
        pytest.skip(f"real MNIST is not in {folder}; set RAPIDITY_MNIST to a folder with its IDX files")
    return folder
