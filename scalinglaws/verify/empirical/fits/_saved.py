"""What a saved fit must be: files are written by hand too, and by other programs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ....errors import DataError, DomainError
from .._coded_warnings import CodedWarning
from .._runs import Runs
from ._laws import fit_law

if TYPE_CHECKING:
    from ._record import Fit


def refuse_unsound(fit: Fit) -> None:
    """Refuse a fit whose parts do not belong together, as no fit of this package is.

    Raises
    ------
    DataError
        With the name of the part.
    """
    for name in ("columns", "laws", "weights", "fixed", "bounds"):
        if not isinstance(getattr(fit, name), dict):
            raise DataError(f"no sound fit: {name} must have entries by name")
    try:
        law = fit_law(fit.law, fit.bounds, tuple(fit.columns))
        law = law.constrained(fit.bounds, fit.fixed)
    except DomainError as failure:
        raise DataError(f"no sound fit: {failure}") from None
    if tuple(fit.names) != law.names:
        raise DataError(f"no sound fit: names must be {', '.join(law.names)}")
    size, count = len(law.names), np.size(fit.losses)
    shapes: dict[str, tuple[int, ...]] = {
        "x": (size,),
        "losses": (count,),
        "residuals": (count,),
        "row_weights": (count,),
    }
    shapes |= {"jacobian": (count, size), "samples": (len(np.atleast_1d(fit.samples)), size)}
    for name, shape in shapes.items():
        refuse_array(name, getattr(fit, name), shape)
    if fit.cov is not None:
        refuse_array("cov", fit.cov, (size, size))
    if set(fit.columns) != set(law.variables):
        raise DataError(f"no sound fit: columns must be {', '.join(law.variables)}")
    for name, column in fit.columns.items():
        refuse_array(name, column, (count,), positive=name not in law.own)
        if name in law.own and np.any(column < 0):
            raise DataError(f"no sound fit: {name} must hold numbers >= 0")
    refuse_array("losses", fit.losses, (count,), positive=True)
    for name in ("cost", "delta", "envelope"):
        value = getattr(fit, name)
        if not isinstance(value, (int, float)) or not value > 0:
            raise DataError(f"no sound fit: {name} must be a number > 0")
    if not isinstance(fit.success, bool):
        raise DataError("no sound fit: success must be true or false")
    _refuse_parts(fit)


def refuse_array(name: str, array: Any, shape: tuple[int, ...], *, positive: bool = False) -> None:
    """Refuse what is no array of numbers of a shape."""
    good = isinstance(array, np.ndarray) and array.dtype.kind in "fiu" and array.shape == shape
    if good:
        good = bool(np.all(np.isfinite(array))) and not (positive and np.any(array <= 0))
    if not good:
        sign = "positive" if positive else "finite"
        raise DataError(f"no sound fit: {name} must hold {sign} numbers, of shape {shape}")


def _refuse_parts(fit: Fit) -> None:
    """Refuse other results in a fit that are none, and weights that are no shares of its laws."""
    from ._calibration import Calibration

    for name, kind in (("runs", Runs), ("calibration", Calibration)):
        held = getattr(fit, name)
        if not (held is None or isinstance(held, kind)):
            raise DataError(f"no sound fit: {name} must be nothing, or {kind.__name__}")
    if not isinstance(fit.warnings, tuple) or not all(
        isinstance(one, CodedWarning) for one in fit.warnings
    ):
        raise DataError("no sound fit: warnings must be coded warnings")
    for name, other in fit.laws.items():
        if not isinstance(other, type(fit)) or other.law != name:
            raise DataError(f"no sound fit: laws[{name!r}] must be a fit of that law")
        refuse_unsound(other)
    known = {fit.law, *fit.laws}
    shares = list(fit.weights.values())
    if not set(fit.weights) <= known or not all(
        isinstance(share, float) and 0 <= share < math.inf for share in shares
    ):
        raise DataError(f"no sound fit: weights must be shares >= 0 of {', '.join(sorted(known))}")
    if shares and not sum(shares) > 0:
        raise DataError("no sound fit: weights must not all be 0")
