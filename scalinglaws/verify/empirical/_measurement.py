"""What was measured of a task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...results import Result
from ._dimension import IntrinsicDimension
from ._records import HeldOutCurve, MeasuredExponent, MeasuredSpectrum

if TYPE_CHECKING:
    from ._prediction import TaskPrediction


@dataclass(frozen=True)
class TaskMeasurement(Result):
    r"""Capacity and source of a task, with what they were read off and whether they are power laws at all.

    Attributes
    ----------
    samples : float
        n; inf for the spectrum of a population.
    source_of_data : str
        What was given.
    outputs : int
        Columns of the labels.
    capacity, source, decay : MeasuredExponent
        :math:`\alpha`, :math:`\beta` and :math:`\alpha\beta`: eigenvalues fall as :math:`k^{-\alpha}`, what labels have beyond mode k as
        :math:`k^{-\alpha\beta}`.
    spectrum : MeasuredSpectrum or None
        Leading modes, and the power laws that continue them; None where no power laws could be fitted.
    half_samples : tuple of MeasuredSpectrum
        The same of random halves.
    held_out : HeldOutCurve or None
        Learning curves of kernel regression on parts of the data, predicted from others.
    dimension : IntrinsicDimension or None
        Of the inputs or features.
    split_decay : float or None
        :math:`\alpha\beta` from regression on leading modes of one half, tested on the other.
    notes : tuple of str
        What the reader must know, in sentences.
    """

    samples: float
    source_of_data: str
    outputs: int
    capacity: MeasuredExponent
    source: MeasuredExponent
    decay: MeasuredExponent
    spectrum: MeasuredSpectrum | None
    half_samples: tuple[MeasuredSpectrum, ...]
    held_out: HeldOutCurve | None
    dimension: IntrinsicDimension | None
    notes: tuple[str, ...]
    split_decay: float | None = None

    @property
    def verdict(self) -> dict[str, str]:
        """Say of each quantity: "power law", "not a power law" or "too few samples"."""
        names = ("capacity", "source", "decay")
        return {name: getattr(self, name).verdict for name in names}

    def predict(self) -> TaskPrediction:
        """Predict exponents by the laws of all theories that know capacity and source, and the learning curve.

        Returns
        -------
        TaskPrediction
            With intervals, and the largest number of samples that was checked on the data.
        """
        from ._prediction import predict  # only who predicts needs the laws

        return predict(self)

    def report(self) -> str:
        """Write what was measured and predicted as text."""
        from ._report import report_text  # only who writes needs the tables

        return report_text(self)

    def to_html(self, path: str | Path) -> Path:
        """Write what was measured and predicted as a page for the browser, in one file.

        Parameters
        ----------
        path : str or Path
            Must end in ``.html``.

        Returns
        -------
        Path
            The file written.
        """
        from ._report import write_html  # only who writes needs pictures

        return write_html(self, path)
