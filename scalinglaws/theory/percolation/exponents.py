"""Numbers: critical exponents and thresholds in each dimension, with their uncertainties and sources."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

import sympy as sp

from ...arguments import choice, whole
from ...errors import refusal
from ...formatting import uncertain
from ...reprs import short_repr
from .. import references
from ..references import Reference
from .relations import UPPER_DIMENSION, ScalingExponents, exponents_from

_D, _NU = sp.symbols("D nu", positive=True)


@short_repr
@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty.

    Attributes
    ----------
    value : Rational or float
        Exact where it is known exactly.
    standard_error : float
        One standard error; 0 where the value is exact.
    reference : tuple of Reference
        Where it comes from.
    """

    value: Any
    standard_error: float
    reference: tuple[Reference, ...]

    @property
    def exact(self) -> bool:
        """Whether the value is known exactly."""
        return self.standard_error == 0

    def __float__(self) -> float:
        return float(self.value)

    def __str__(self) -> str:
        return str(self.value) if self.exact else uncertain(float(self.value), self.standard_error)


@short_repr
@dataclass(frozen=True)
class Prediction:
    """An exponent of the loss that critical exponents predict.

    Attributes
    ----------
    exponent : Estimate
        g of ``x**-g``.
    log_power : Rational
        Power of the logarithm that multiplies it: not 0 where two bottlenecks have the same exponent.
    limit : str
        ``"smoothness"``, ``"cluster"`` or ``"both"``: what decides.
    """

    exponent: Estimate
    log_power: sp.Rational
    limit: str


@short_repr
@dataclass(frozen=True)
class CriticalExponents:
    r"""Exponents of percolation in one dimension; exact ones are rational numbers.

    Attributes
    ----------
    dimension : int
        d.
    tau, sigma, D, nu, beta_p, gamma_p, delta, alpha : Estimate
        As in `ScalingExponents`.
    rank_ratio : Estimate
        D/d, the exponent of sizes against rank where every cluster of a lattice counts once; above six dimensions
        :math:`1/(\tau - 1)`.
    """

    dimension: int
    tau: Estimate
    sigma: Estimate
    D: Estimate
    nu: Estimate
    beta_p: Estimate
    gamma_p: Estimate
    delta: Estimate
    alpha: Estimate
    rank_ratio: Estimate

    def __str__(self) -> str:
        lines = [f"{entry.name:10s} {getattr(self, entry.name)}" for entry in fields(self)[1:]]
        return "\n".join([f"percolation in {self.dimension} dimensions", *lines])

    def learning(self, smoothness: Any) -> Estimate:
        """Return beta = c/D, the exponent at which one cluster is learned by a target that is smooth in Euclidean distance.

        Distances along the cluster are another matter: a random walk along its paths is learned as n^(-d_min/D), which agrees for
        c = 2 from six dimensions on and is 0.596 and 0.545 in two and three, where 2/D is 1.055 and 0.793.

        Parameters
        ----------
        smoothness : int or Rational
            c: 2 for a piecewise constant approximation (nearest neighbor), 4 for a piecewise linear one.

        Returns
        -------
        Estimate
            With the uncertainty of D.
        """
        c = _smoothness(smoothness)
        return _derived(self.dimension, c / _D)

    def model_exponent(self, smoothness: Any) -> Prediction:
        r"""Return the exponent of the loss against model size, :math:`\min(\alpha, c/D)`, for Euclidean distance as in `learning`.

        Parameters
        ----------
        smoothness : int or Rational
            c, as for `learning`.

        Returns
        -------
        Prediction
            With :math:`(\log n)^{1 + \alpha}` where the two are equal.
        """
        return self._smaller(smoothness, self.alpha, lambda: 1 + self.alpha.value)

    def data_exponent(self, smoothness: Any) -> Prediction:
        r"""Return the exponent of the loss against the number of samples, :math:`\min(\alpha/(1 + \alpha), c/D)`.

        For Euclidean distance, as in `learning`.

        Parameters
        ----------
        smoothness : int or Rational
            c, as for `learning`.

        Returns
        -------
        Prediction
            With one logarithm where the two are equal.
        """
        tau = _expressions(self.dimension).tau
        return self._smaller(smoothness, _derived(self.dimension, 3 - tau), lambda: sp.S.One)

    def _smaller(self, smoothness: Any, cluster: Estimate, logs: Any) -> Prediction:
        beta = self.learning(smoothness)
        if beta.exact and cluster.exact and beta.value == cluster.value:
            return Prediction(cluster, logs(), "both")
        smooth = float(beta) < float(cluster)
        return Prediction(
            beta if smooth else cluster, sp.S.Zero, "smoothness" if smooth else "cluster"
        )


def _smoothness(value: Any) -> sp.Expr:
    number = sp.sympify(value)
    if isinstance(value, bool) or not (number.is_number and number.is_real and number >= 1):
        raise refusal("smoothness", value, "must be a number >= 1 (2: piecewise constant)")
    return number


@cache
def _table() -> dict[tuple[int, str], tuple[str, float, Reference]]:
    text = (files(__package__) / "critical_points.csv").read_text(encoding="utf-8")
    return {
        (int(row["dimension"]), row["quantity"]): (
            row["value"],
            float(row["standard_error"]),
            getattr(references, row["source"]),
        )
        for row in csv.DictReader(text.splitlines())
    }


def _measured(dimension: int, symbol: sp.Symbol) -> tuple[str, float, Reference]:
    found = _table().get((dimension, str(symbol)))
    if found is not None:
        return found
    value, error, source = _table()[dimension, f"1/{symbol}"]
    inverse = 1 / float(value)
    return repr(inverse), error * inverse**2, source


def _expressions(dimension: int) -> ScalingExponents:
    """Write the exponents in terms of what is known: numbers where they are exact, else of D and nu."""
    if dimension >= UPPER_DIMENSION:
        return exponents_from(sp.Rational(5, 2), sp.S.Half, sp.Integer(UPPER_DIMENSION))
    if dimension == 2:
        return exponents_from(sp.Rational(187, 91), sp.Rational(36, 91), sp.Integer(2))
    return exponents_from(1 + dimension / _D, 1 / (_NU * _D), sp.Integer(dimension))


def _derived(dimension: int, expr: sp.Expr) -> Estimate:
    """Evaluate an expression in D and nu, with independent errors added in quadrature to first order."""
    if dimension == 2 or dimension >= UPPER_DIMENSION:
        exact = _expressions(dimension)
        value = sp.sympify(expr).subs({_D: exact.D, _NU: exact.nu})
        return Estimate(value, 0.0, (references.STAUFFER_1994,))
    known = {symbol: _measured(dimension, symbol) for symbol in (_D, _NU)}
    place = {symbol: sp.Float(value, 20) for symbol, (value, _, _) in known.items()}
    used = expr.free_symbols & known.keys()
    errors = (float(sp.diff(expr, symbol).subs(place)) * known[symbol][1] for symbol in used)
    sources = tuple(dict.fromkeys(known[symbol][2] for symbol in known if symbol in used))
    return Estimate(float(expr.subs(place)), math.hypot(*errors), sources)


def critical_exponents(dimension: int) -> CriticalExponents:
    r"""Return the critical exponents of percolation in a dimension, with uncertainties.

    Parameters
    ----------
    dimension : int
        d >= 2.

    Returns
    -------
    CriticalExponents
        Exact in two dimensions and from six on (there mean-field values; at six times powers of logarithms); in between from
        measured D and nu, whose independent errors are propagated to first order.

    Raises
    ------
    DomainError
        If the dimension is not a whole number >= 2.

    References
    ----------
    .. [1] X. Xu, J. Wang, J.-P. Lv, Y. Deng, arXiv:1310.5399 (three dimensions).
    .. [2] Z. Zhang, P. Hou, S. Fang, H. Hu, Y. Deng, arXiv:2004.11289 (four and five).
    .. [3] D. Stauffer, A. Aharony, "Introduction to Percolation Theory" (1994) (exact values).

    Examples
    --------
    >>> critical_exponents(2).alpha.value
    86/5
    >>> print(critical_exponents(3).alpha)
    4.2884 +- 0.0013
    >>> critical_exponents(6).model_exponent(4)
    Prediction(exponent=Estimate(...), log_power=2, limit='both')
    """
    return _critical_exponents(_dimension(dimension))


@cache
def _critical_exponents(d: int) -> CriticalExponents:
    found = _expressions(d)
    known = {entry.name: getattr(found, entry.name) for entry in fields(ScalingExponents)}
    known |= {"rank_ratio": sp.cancel(1 / (found.tau - 1))}
    if 2 < d < UPPER_DIMENSION:
        known |= {"D": _D, "nu": _NU}
    return CriticalExponents(d, **{name: _derived(d, expr) for name, expr in known.items()})


def _dimension(dimension: Any) -> int:
    return whole("dimension", dimension, low=2)


def critical_threshold(
    dimension: int | None = None, kind: str = "site", *, coordination: int | None = None
) -> Estimate:
    r"""Return the occupation probability at which an infinite cluster appears.

    Parameters
    ----------
    dimension : int, optional
        d of a hypercubic lattice, from 2 to 7.
    kind : {"site", "bond"}
        What is occupied.
    coordination : int, optional
        z >= 3 neighbors per site of a Bethe lattice, in place of `dimension`: :math:`p_c = 1/(z - 1)` for both kinds.

    Returns
    -------
    Estimate
        Exact for bonds of the square lattice and for Bethe lattices, else with its uncertainty and source.

    Raises
    ------
    DomainError
        If no threshold is known, or not exactly one lattice is given.

    Examples
    --------
    >>> print(critical_threshold(3))
    0.31160768 +- 1.5e-07
    >>> critical_threshold(2, "bond").value, critical_threshold(coordination=12).value
    (1/2, 1/11)
    """
    choice("kind", kind, ("site", "bond"))
    if (dimension is None) == (coordination is None):
        raise refusal(
            "dimension",
            None,
            "give the dimension of a hypercubic lattice, or the coordination of a Bethe lattice",
            named=False,
        )
    if coordination is not None:
        return Estimate(
            sp.Rational(1, whole("coordination", coordination, low=3) - 1),
            0.0,
            (references.FISHER_1961,),
        )
    d = _dimension(dimension)
    if (d, kind) == (2, "bond"):
        return Estimate(sp.S.Half, 0.0, (references.STAUFFER_1994,))
    found = _table().get((d, kind))
    if found is None:
        raise refusal(
            "dimension", dimension, "must be from 2 to 7: no threshold is on record beyond"
        )
    return Estimate(float(found[0]), found[1], (found[2],))


def path_dimension(dimension: int) -> Estimate:
    r"""Return the dimension of shortest paths on critical clusters: sites r apart in space are :math:`r^{d_{min}}` steps apart.

    Parameters
    ----------
    dimension : int
        d of the lattice: 2, 3, or 6 and more.

    Returns
    -------
    Estimate
        :math:`d_{min}` with its uncertainty and source; exactly 2 from six dimensions on.

    Raises
    ------
    DomainError
        If no value is on record.

    References
    ----------
    .. [1] Z. Zhou, J. Yang, Y. Deng, R. M. Ziff, arXiv:1112.3428 (2012).

    Examples
    --------
    >>> print(path_dimension(2), path_dimension(6))
    1.130770 +- 0.000020 2
    """
    d = _dimension(dimension)
    if d >= UPPER_DIMENSION:
        return Estimate(sp.Integer(2), 0.0, (references.STAUFFER_1994,))
    found = _table().get((d, "d_min"))
    if found is None:
        raise refusal("dimension", dimension, "must be 2, 3, or 6 and more: no value is on record")
    return Estimate(float(found[0]), found[1], (found[2],))


def rank_exponent(tau: Any, *, ensemble: str) -> sp.Expr:
    r"""Return the exponent of cluster sizes against their rank, :math:`s_k \sim k^{-g}`.

    Parameters
    ----------
    tau : number or Expr
        Exponent of the cluster numbers, between 2 and 3.
    ensemble : {"site_rooted", "lattice"}
        Clusters drawn each as that of a random site, :math:`g = 1/(\tau - 2) = 1 + \alpha`; or every cluster of one large lattice
        counted once, :math:`g = 1/(\tau - 1)`. There is no default: confusing the two turns a power-law loss into none.

    Returns
    -------
    Expr
        g, exact for exact tau.

    Raises
    ------
    DomainError
        If the ensemble is unknown or tau is out of range.

    Examples
    --------
    >>> rank_exponent(sp.Rational(5, 2), ensemble="site_rooted"), rank_exponent(sp.Rational(5, 2), ensemble="lattice")
    (2, 2/3)
    """
    choice("ensemble", ensemble, ("site_rooted", "lattice"))
    exponent = sp.sympify(tau)
    if exponent.is_number and not 2 < exponent < 3:
        raise refusal("tau", tau, "must lie between 2 and 3")
    return sp.cancel(1 / (exponent - (2 if ensemble == "site_rooted" else 1)))
