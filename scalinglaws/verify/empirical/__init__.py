"""People's own measurements: capacity and source of their data, and what the theories predict for it."""

from ._dimension import (
    SMOOTHNESS,
    IntrinsicDimension,
    KernelExponent,
    intrinsic_dimension,
    kernel_exponent,
)
from ._mechanism import LimitingMechanism, limiting_mechanism

__all__ = [
    "SMOOTHNESS",
    "IntrinsicDimension",
    "KernelExponent",
    "LimitingMechanism",
    "intrinsic_dimension",
    "kernel_exponent",
    "limiting_mechanism",
]
