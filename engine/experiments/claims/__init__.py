"""The claims of the paper's versions, each with the experiment that tests it here and a verdict read off what was measured.

A verdict needs its runs, of the same settings: without them there is none. It says holds, holds in part, not supported, or
undecided where a number that it compares could not be measured; with the numbers, their intervals and the control that
decides. The claims are those of the abstracts of Y. Lai, X. Dong, Z. Jin, "On the Computational
Entanglement of Distant Features in Adversarial Machine Learning" (arXiv 2309.15669, v1 to v7, 2023-24); how they are tested is
ours. NumPy only, so that a window may use it.
"""

from engine.experiments.claims.board import CLAIMS
from engine.experiments.claims.judging import Claim, Frames, Number, Unmeasured, Verdict, Word, missing, stale, verdict

__all__ = ["CLAIMS", "Claim", "Frames", "Number", "Unmeasured", "Verdict", "Word", "missing", "stale", "verdict"]
