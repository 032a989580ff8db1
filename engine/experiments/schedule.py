"""When to probe during training."""

from __future__ import annotations

from engine.specs import ProbeSpec


class ProbeSchedule:
    """Decides which training steps are probed, so that probing stays within its share of training time.

    With ``spec.every`` set, every so many steps. Otherwise a probe is due when its expected cost is at most
    ``spec.budget`` of the training time since the last one. The last step is always probed. Which frames are kept
    for the time slider is decided here too: at most about ``KEPT`` of one training, evenly spread.
    """

    KEPT = 40

    def __init__(self, spec: ProbeSpec, steps: int) -> None:
        self._spec = spec
        self._steps = steps
        self._training = 0.0  # seconds of training since the last probe
        self._cost = 0.0  # seconds that a probe takes, smoothed
        self._kept_at = 0

    def trained(self, seconds: float) -> None:
        """Call with what a training step took."""
        self._training += seconds

    def probed(self, seconds: float) -> None:
        """Call with what a probe took."""
        self._cost = seconds if self._cost == 0.0 else 0.5 * (self._cost + seconds)
        self._training = 0.0

    def due(self, step: int) -> bool:
        """Whether to probe after this step (steps count from 1)."""
        if step == self._steps:
            return True
        if self._spec.every:
            return step % self._spec.every == 0
        return self._cost <= self._spec.budget * self._training

    def keep(self, step: int) -> bool:
        """Whether the probe at this step is kept for replay."""
        if step < self._steps and step - self._kept_at < self._steps / self.KEPT:
            return False
        self._kept_at = step
        return True
