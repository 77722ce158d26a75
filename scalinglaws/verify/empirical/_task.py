"""What predictions, reports and pictures need to know of a measured task."""

from __future__ import annotations

from typing import Protocol

from ._dimension import IntrinsicDimension
from ._records import HeldOutCurve, MeasuredExponent, MeasuredSpectrum


class MeasuredTask(Protocol):
    """The fields of `TaskMeasurement`, without what can be done with them."""

    @property
    def samples(self) -> float: ...

    @property
    def source_of_data(self) -> str: ...

    @property
    def outputs(self) -> int: ...

    @property
    def capacity(self) -> MeasuredExponent: ...

    @property
    def source(self) -> MeasuredExponent: ...

    @property
    def decay(self) -> MeasuredExponent: ...

    @property
    def spectrum(self) -> MeasuredSpectrum | None: ...

    @property
    def half_samples(self) -> tuple[MeasuredSpectrum, ...]: ...

    @property
    def held_out(self) -> HeldOutCurve | None: ...

    @property
    def dimension(self) -> IntrinsicDimension | None: ...

    @property
    def notes(self) -> tuple[str, ...]: ...
