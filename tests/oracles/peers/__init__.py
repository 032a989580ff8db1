"""Other libraries' attacks, each as one function (model, x, y, …) -> x_adv, with what they leave behind cleaned up.

They are no dependency of the lab: ``make peers`` installs them, and where they are not, their tests say so and are skipped.
"""

from __future__ import annotations

from importlib.util import find_spec

LIBRARIES = {"foolbox": "3.3.4", "torchattacks": "3.5.1", "pyautoattack": "0.2.0"}
MISSING = tuple(name for name in LIBRARIES if find_spec(name) is None)
REASON = f"not installed: {', '.join(MISSING)}; `make peers` installs the peer libraries and runs these tests"
