"""Symbols that the laws of schedules share."""

import sympy as sp

from ..symbols import BOX

STEPS, INTRINSIC, LENGTH, STABLE = sp.symbols("T X U X_0", positive=True)
"""Steps; intrinsic time, the sum of all rates; that of a decay, and that of the stable phase before it."""

POWER = sp.Symbol("p", positive=True)
"""Power of the decay (1 - t/T)^p: 0 for a constant rate, 1 for a linear decay and for one that follows a stable phase, 2 for a cosine."""

PEAK, LARGEST, TEMPERATURE = sp.symbols("eta_0 eta_max theta", positive=True)
"""Rate at the start; the largest that is allowed; a rate over its batch."""

BATCH, NOISE = sp.symbols("B sigma2", positive=True)
"""Samples per step, and the variance of their label noise."""

KERNEL, LOSS, REMAINING = sp.symbols("K L u", positive=True)
"""Kernel of the noise, the loss, and the intrinsic time that is left."""

RANGES = {**BOX, POWER: (sp.S.Zero, sp.Rational(13, 10))}
"""Ranges of the parameters in which derivations are checked: numbers tell terms apart where 1/alpha and 1/(p + 1) are not too close."""
