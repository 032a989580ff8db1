"""Run the benchmarks: ``python -m benchmarks [NAME …]``; prints one table a benchmark, each a ratio in one run."""

from __future__ import annotations

import argparse
import importlib
import sys
from os import cpu_count
from time import perf_counter

from benchmarks.measure import Others

NAMES = (
    "window",
    "training",
    "probing",
    "geometry",
    "attacks",
    "peers",
    "reconcile",
    "session",
    "sweep",
    "sweep_table",
)


def main() -> int:
    """Run the named benchmarks, or all; the exit code tells whether every target was met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all if none is given")
    names = parser.parse_args().names or NAMES
    met = True
    for name in names:
        if name not in NAMES:
            parser.error(f"there is no benchmark {name!r}; there are {', '.join(NAMES)}")
        print(f"\n{name}")
        others, began = Others(), perf_counter()
        for result in importlib.import_module(f"benchmarks.{name}").run():
            print(f"  {result}", flush=True)
            met &= result.met
        print(
            f"  {perf_counter() - began:.0f} s; other programs kept {others.cores():.1f} of {cpu_count()} cores busy meanwhile"
        )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
