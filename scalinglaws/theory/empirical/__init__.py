"""Formulas that were fitted rather than derived, and what follows from them.

Each law here starts from an ansatz: its derivation's first line is assumed. The rest is derived: optima under a budget,
limits, and which of the parameters a measurement can tell apart.
"""

from ..catalogue import FITTED
from .batches import BatchLimited, derive_stopping, kaplan_batch_law, kaplan_steps_law
from .counts import EmbeddedLoss, derive_reconciliation, kaplan_reconciliation_law
from .curves import (
    CorrectedPower,
    PowerOffset,
    derive_offset,
    derive_power,
    hestness_law,
    power_law,
)
from .regions import (
    BrokenPower,
    ThreeRegions,
    bnsl_law,
    derive_broken,
    derive_regions,
    perceptron_law,
    three_region_law,
)
from .saturation import Envelope, derive_envelope, rosenfeld_law
from .surfaces import (
    AdditiveLoss,
    NestedLoss,
    chinchilla_law,
    derive_frontier,
    derive_nested,
    kaplan_law,
    surface_power_law,
)
from .symbols import C, D, N, P, x

__all__ = [
    "FITTED",
    "AdditiveLoss",
    "BatchLimited",
    "BrokenPower",
    "C",
    "CorrectedPower",
    "D",
    "EmbeddedLoss",
    "Envelope",
    "N",
    "NestedLoss",
    "P",
    "PowerOffset",
    "ThreeRegions",
    "bnsl_law",
    "chinchilla_law",
    "derive_broken",
    "derive_envelope",
    "derive_frontier",
    "derive_nested",
    "derive_offset",
    "derive_power",
    "derive_reconciliation",
    "derive_regions",
    "derive_stopping",
    "hestness_law",
    "kaplan_batch_law",
    "kaplan_law",
    "kaplan_reconciliation_law",
    "kaplan_steps_law",
    "perceptron_law",
    "power_law",
    "rosenfeld_law",
    "surface_power_law",
    "three_region_law",
    "x",
]
