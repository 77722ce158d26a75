r"""What limits the loss of the lazy linear model, as sums of powers of whatever sets the pace of training.

Time, the number of features and what they cost before they saturate, and the noise of the gradients are laws of the linear theory,
met at another pace: every power of time becomes one of the effective time of a schedule or of a method. Label noise enters with
what a decay of the rate leaves of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from ...errors import refusal
from ..asymptotics import RATIONAL, MellinSymbol, power_sum
from ..linear import (
    ModeLimited,
    TimeLimited,
    TransientLimited,
    derive_mode,
    derive_time,
    derive_transient,
)
from ..monomials import power_product
from ..records import Derived, Regime
from ..symbols import N, T, as_exponent

LOG = sp.Symbol("log_C", positive=True)
"""The logarithm of what is large, where two powers of one bottleneck meet."""

LINE = "hard | easy"


def source(signal_exponent: sp.Expr, spectrum_exponent: sp.Expr) -> sp.Expr:
    """Return beta = (a - 1)/b of a task, once it is known that b exceeds one."""
    if sp.Gt(spectrum_exponent, 1) == sp.false:
        complaint = "must exceed 1: otherwise the sum of the eigenvalues diverges"
        raise refusal("spectrum_exponent", spectrum_exponent, complaint)
    return sp.cancel((signal_exponent - 1) / spectrum_exponent)


def inside(box: Mapping[sp.Symbol, tuple[Any, Any]], condition: sp.Basic) -> dict[sp.Symbol, Any]:
    """Return a point of a box at which a condition holds."""
    if condition != sp.false and (point := _somewhere(tuple(box.items()), condition)) is not None:
        return point
    raise refusal("box", box, f"holds no point with {condition}", shown=False)


@lru_cache(maxsize=256)
def _somewhere(ranges: tuple[Any, ...], condition: sp.Basic) -> dict[sp.Symbol, Any] | None:
    if condition == sp.true or not ranges:
        middle = {name: (sp.Rational(low) + sp.Rational(high)) / 2 for name, (low, high) in ranges}
        return middle if condition == sp.true else None
    names = [name for name, _ in ranges]
    shares = np.arange(3, 97) / 97 if len(names) < 3 else np.arange(1, 12) / 12
    axes = [float(low) + shares * (float(high) - float(low)) for _, (low, high) in ranges]
    points = [axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")]
    found = np.broadcast_to(sp.lambdify(names, condition, "numpy")(*points), points[0].shape)
    places = np.flatnonzero(found)
    if not len(places):
        return None
    place = places[len(places) // 2]
    return {
        name: sp.Rational(round(1000 * axis[place]), 1000)
        for name, axis in zip(names, points, strict=True)
    }


@lru_cache(maxsize=16)
def bottlenecks(
    signal_exponent: sp.Expr, spectrum_exponent: sp.Expr, ranges: tuple[Any, ...]
) -> Bottlenecks:
    """Return the bottlenecks of a task; they are derived once."""
    return Bottlenecks(signal_exponent, spectrum_exponent, dict(ranges))


class Bottlenecks:
    """The bottlenecks of one task, by region.

    Parameters
    ----------
    signal_exponent, spectrum_exponent : Expr
        a and b.
    box : mapping
        Ranges of the parameters.
    """

    def __init__(
        self, signal_exponent: sp.Expr, spectrum_exponent: sp.Expr, box: Mapping[sp.Symbol, Any]
    ) -> None:
        a, b = signal_exponent, spectrum_exponent
        self.source = source(a, b)
        self.box = {
            name: ends for name, ends in box.items() if name in a.free_symbols | b.free_symbols
        }
        self.above = sp.Gt(b, 1)
        task = (b, a)
        self._found: dict[str, tuple[Derived, sp.Symbol]] = {
            "time": (derive_time(TimeLimited(*task, box=box)), T),
            "model": (
                derive_mode(
                    ModeLimited(
                        N,
                        RATIONAL(1, 1),
                        spectrum_exponent=b,
                        signal_exponent=a,
                        box=box,
                    )
                ),
                N,
            ),
            "transient": (derive_transient(TransientLimited(*task, box=box)), T),
            "noise": (derive_time(TimeLimited(b, 2 * b, box=box)), T),
        }

    def regions(self) -> list[tuple[str, sp.Basic]]:
        """Return hard and easy tasks, as far as the model has them, with their conditions."""
        found = [("hard", sp.Lt(self.source, 1)), ("easy", sp.Gt(self.source, 1))]
        if self.source == 1:
            return [(LINE, sp.true)]
        return [(name, condition) for name, condition in found if condition != sp.false]

    def line(self) -> dict[sp.Symbol, sp.Expr]:
        """Return the value of a parameter at which hard tasks meet easy ones; empty if the model has only one kind."""
        symbols = sorted(self.source.free_symbols, key=str)
        if not symbols or len(self.regions()) < 2:
            return {}
        name = symbols[-1]
        low, high = self.box[name]
        for value in sp.solve(self.source - 1, name):
            if value.free_symbols or low < value < high:
                return {name: value}
        return {}

    def limits(self, condition: sp.Basic) -> dict[sp.Symbol, tuple[Any, Any]]:
        """Return the ranges of the parameters within a region, where they are ranges of each parameter."""
        found = dict(self.box)
        name = self.source
        if isinstance(name, sp.Symbol) and isinstance(condition, (sp.Gt, sp.Lt)):
            low, high = found[name]
            found[name] = (1, high) if isinstance(condition, sp.Gt) else (low, 1)
        return found

    def terms(
        self, condition: sp.Basic, pace: sp.Expr, *names: str, at: Mapping[sp.Symbol, Any] = {}
    ) -> dict[str, sp.Expr]:
        """Return the leading powers in a region, or on a line.

        Parameters
        ----------
        condition : Basic
            The region.
        pace : Expr
            What plays the part of time, a monomial.
        *names : str
            Which bottlenecks.
        at : mapping
            Parameters on the line.

        Returns
        -------
        dict of str to Expr
            Monomials in `pace` and N, by bottleneck.
        """
        where = {} if at else inside(self.box, condition)
        found = {}
        for name in names:
            derived, scale = self._found[name]
            regime = _leading(derived, where, at)
            power = sp.cancel(regime.exponent.subs(at))
            logs = sp.sympify(regime.log_power)
            base = pace if scale is T else scale
            # what N features add is derived per 1/N
            factors = [(base, -power)] + [(N, sp.S.NegativeOne)] * (name == "transient")
            spread = [
                (symbol, sp.expand(exponent * of))
                for one, exponent in factors
                for symbol, of in one.as_powers_dict().items()
            ]
            found[name] = power_product(spread) * (LOG**logs if logs else 1)
        return found


def _leading(
    derived: Derived, point: Mapping[sp.Symbol, Any], at: Mapping[sp.Symbol, Any]
) -> Regime:
    """Choose the regime at a point inside a region, or on a line: there, the one with its logarithm if it has one."""
    if at:
        lines = [entry for entry in derived.regimes if entry.on_boundary]
        return lines[0] if lines else derived.regimes[0]
    return next(
        entry
        for entry in derived.regimes
        if len(derived.regimes) == 1 or entry.condition.subs(point) == sp.true
    )


def decayed_noise(spectrum_exponent: Any, decay: Any) -> tuple[tuple[sp.Expr, int], ...]:
    r"""Derive what is left of label noise after a decay :math:`(1 - t/T)^p`, as powers of the intrinsic time.

    In the intrinsic time u that remains, the rate vanishes as :math:`u^\pi`, :math:`\pi = p/(p+1)`; a mode keeps

    .. math:: h(y) = y^2 \int_0^1 v^\pi e^{-2yv}\,dv, \qquad y = \lambda\tau,

    and the noise is :math:`\sum_k h(\lambda_k \tau)` over the number of samples.

    Parameters
    ----------
    spectrum_exponent, decay : Expr or number
        b and p; p = 0 is a constant rate.

    Returns
    -------
    tuple of (Expr, int)
        Powers of tau and of its logarithm: :math:`1/b` and :math:`1/(p+1)`, of which the larger leads, each unless it never does.

    Examples
    --------
    >>> b = sp.Symbol("b", positive=True)
    >>> decayed_noise(sp.Rational(3, 2), sp.S.One), decayed_noise(b, sp.S.Zero)
    (((2/3, 0),), ((1/b, 0), (1, 0)))
    >>> decayed_noise(sp.Integer(2), sp.S.One)  # they meet
    ((1/2, 1),)
    """
    b = as_exponent("spectrum_exponent", spectrum_exponent, "the eigenvalues k^-b")
    if not b.is_positive:
        raise refusal("spectrum_exponent", b, "must be positive: eigenvalues fall as k^-b")
    return _left(b, as_decay(decay))


def as_decay(decay: Any) -> sp.Expr:
    """Check the exponent of a decay."""
    found = as_exponent("decay", decay, "the decay (1 - t/T)^p")
    if found.is_negative:
        raise refusal("decay", found, "must be at least 0: the rate does not grow")
    return found


@lru_cache(maxsize=32)
def _left(b: sp.Expr, decay: sp.Expr) -> tuple[tuple[sp.Expr, int], ...]:
    vanishing = sp.cancel(decay / (decay + 1))
    kept = MellinSymbol(
        ((sp.Integer(2), sp.S.One, 0), (vanishing - 1, -sp.S.One, 0)),
        ((vanishing, -sp.S.One),),
        sp.Rational(1, 4),
        sp.Rational(1, 2),
    )
    found = power_sum(0, kept.compose(-b))
    return tuple((sp.cancel(term.exponent / b), term.log_power) for term in found.terms)
