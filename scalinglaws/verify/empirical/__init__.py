"""People's own measurements: capacity and source of their data, and what the theories predict for it."""

from ._dimension import IntrinsicDimension, intrinsic_dimension
from ._measure import measure
from ._measurement import TaskMeasurement
from ._records import HeldOutCurve, MeasuredExponent, MeasuredSpectrum

__all__ = [
    "HeldOutCurve",
    "IntrinsicDimension",
    "MeasuredExponent",
    "MeasuredSpectrum",
    "TaskMeasurement",
    "intrinsic_dimension",
    "measure",
]
