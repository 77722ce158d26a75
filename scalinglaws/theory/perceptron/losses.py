r"""Losses of a margin, and what scaling laws need to know of one.

A loss V(u) of the margin u enters through its force :math:`g(u) = V'(u)/V'(0)`, which falls from one at zero margin to zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from ...arguments import choice, floats, instance, whole
from ...errors import refusal
from ...reprs import short_repr
from ..parameters import as_expression
from ..sums_and_integrals import DIGITS

MARGIN = sp.Symbol("u", real=True)
"""The margin u in losses."""

LOGISTIC = sp.log(1 + sp.exp(-2 * MARGIN))
r""":math:`\log(1 + e^{-2u}) = -u + \log 2\cosh u`."""

EXPONENTIAL = sp.exp(-MARGIN)
r""":math:`e^{-u}`."""

HINGE = sp.Piecewise((1 - MARGIN, MARGIN < 1), (sp.S.Zero, True))
r""":math:`\max(0, 1 - u)`."""

SQUARED_HINGE = sp.Piecewise(((1 - MARGIN) ** 2 / 2, MARGIN < 1), (sp.S.Zero, True))
r""":math:`\max(0, 1 - u)^2/2`."""

MEASURES = {"norm": sp.S.One, "squared": sp.Integer(2)}
r"""Conventions for the norm, and the power p of :math:`\lambda^p` that each of them calls the norm."""

LAMBDA, LAMBDA_SQUARED = sp.symbols("lambda lambda_s", positive=True)

_MOST = 20  # power of the margin that is integrated
_AGREE = mpmath.mpf(10) ** -10
_MARGINS = (0.0, *np.geomspace(1e-3, 1e3, 61))


@short_repr
@dataclass(frozen=True)
class FixedNorm:
    r"""A perceptron trained at fixed norm on :math:`\alpha N` labels of a teacher, with N inputs.

    The weights :math:`\lambda w` with :math:`|w|^2 = N` minimize :math:`\sum_\mu V(\lambda\Delta^\mu)`,
    :math:`\Delta^\mu = y^\mu\, w \cdot x^\mu/\sqrt N`.

    Attributes
    ----------
    loss : Expr
        V as a function of `MARGIN`, decreasing and convex for positive margins.
    convention : {"norm", "squared"}
        Whether laws are written in :math:`\lambda = |w|/\sqrt N` or in :math:`\lambda_s = \lambda^2 = |w|^2/N`.
    box : mapping
        Ranges of the loss's parameters, if it has any, in which derivations are checked.

    Raises
    ------
    DomainError
        If the loss is no function of the margin alone, has no slope at zero margin, or is not decreasing and convex.

    Examples
    --------
    >>> FixedNorm(EXPONENTIAL).force
    exp(-u)
    >>> FixedNorm((1 - MARGIN) ** 2)
    Traceback (most recent call last):
        ...
    scalinglaws.errors.DomainError: loss = (1 - u)**2 must be decreasing and convex for positive margins: its force ...
    """

    loss: Any = LOGISTIC
    convention: str = "norm"
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a loss without slope at zero margin, or one that is not decreasing and convex."""
        choice("convention", self.convention, MEASURES)
        instance("box", self.box, Mapping)
        loss = as_expression("loss", self.loss)
        object.__setattr__(self, "loss", loss)
        if MARGIN not in loss.free_symbols or loss.free_symbols - {MARGIN} != set(self.box):
            raise refusal(
                "loss",
                loss,
                "must be a function of MARGIN, and the box give ranges of its other symbols, and of no others",
            )
        if not self.slope.is_finite or self.slope.is_nonpositive:
            raise refusal("loss", loss, "must have a finite negative slope at zero margin")
        values = self.at(self.force, np.array(_MARGINS))
        if not np.all(np.isfinite(values)) or np.any(np.diff([*values, 0.0]) > 1e-12):
            raise refusal(
                "loss",
                loss,
                "must be decreasing and convex for positive margins: its force must fall from one to zero",
            )

    @property
    def power(self) -> sp.Integer:
        """The power p in the norm as it is written, lambda^p."""
        return MEASURES[self.convention]

    @property
    def norm(self) -> sp.Symbol:
        """The norm as it is written."""
        return LAMBDA if self.power == 1 else LAMBDA_SQUARED

    @property
    def scale(self) -> sp.Expr:
        """The factor that multiplies margins, in terms of the norm as it is written."""
        return self.norm ** (1 / self.power)

    @property
    def slope(self) -> sp.Expr:
        """-V'(0)."""
        return -sp.simplify(sp.diff(self.loss, MARGIN).subs(MARGIN, 0))

    @property
    def force(self) -> sp.Expr:
        """V'(u)/V'(0)."""
        return _simplest(sp.diff(self.loss, MARGIN) / -self.slope)

    @property
    def middle(self) -> dict[sp.Symbol, sp.Expr]:
        """The middle of the box."""
        return {name: sp.sympify(sum(ends)) / 2 for name, ends in self.box.items()}

    def at(self, expr: sp.Expr, margins: Any) -> Any:
        """Evaluate an expression at margins, in the middle of the box."""
        expr = as_expression("expr", expr).subs(self.middle)
        if expr.free_symbols - {MARGIN}:
            raise refusal("expr", expr, "must be a function of MARGIN and the symbols of the box")
        at = floats("margins", margins)
        with np.errstate(all="ignore"):
            found = sp.lambdify(MARGIN, expr, "numpy")(at)
        return np.broadcast_to(np.asarray(found, float), at.shape)

    def integral(self, function: sp.Expr, power: int = 0) -> sp.Expr:
        r"""Return :math:`\int_0^\infty u^k f(u)\,du`, as `closed_integral` does.

        Parameters
        ----------
        function : Expr
            f.
        power : int
            k.

        Returns
        -------
        Expr
            A closed form where there is one.
        """
        return closed_integral(function, power, tuple(self.middle.items()))


def _simplest(expr: sp.Expr) -> sp.Expr:
    """Write a force as a fraction of exponentials, which is what integrals are done in."""
    return sp.simplify(expr) if not expr.has(sp.Piecewise) else sp.piecewise_fold(expr)


def closed_integral(
    function: sp.Expr, power: int = 0, middle: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()
) -> sp.Expr:
    r"""Integrate :math:`u^k f(u)` over positive margins, in closed form where that can be found and confirmed.

    Parameters
    ----------
    function : Expr
        f, a function of `MARGIN`.
    power : int
        k, from 0 to 20.
    middle : tuple of (Symbol, number)
        Values of other symbols, at which the closed form is confirmed.

    Returns
    -------
    Expr
        The value, or an integral that is left as it is where no closed form agrees with quadrature to ten digits.

    Notes
    -----
    A rational function of :math:`q = e^{-cu}` with poles at -1 only is a sum of powers :math:`(-1)^n n^j q^n`, by partial
    fractions, and each of them gives a value of Dirichlet's eta function. Anything else is left to SymPy.

    Examples
    --------
    >>> closed_integral((1 - sp.tanh(MARGIN)) ** 2)
    -1 + 2*log(2)
    >>> closed_integral((1 - sp.tanh(MARGIN)) ** 2, 2)
    -pi**2/12 + 3*zeta(3)/4
    >>> closed_integral(1 - sp.tanh(MARGIN), 1)
    pi**2/24
    """
    function, power = as_expression("function", function), whole("power", power, low=0, high=_MOST)
    instance("middle", middle, tuple)
    for pair in middle:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], sp.Symbol):
            raise refusal("middle", middle, "must be pairs of a symbol and a number")
        as_expression("middle", pair[1])
    if function.free_symbols - {MARGIN, *dict(middle)}:
        raise refusal(
            "function", function, "must be a function of MARGIN and the symbols of middle"
        )
    return _closed_integral(function, power, middle)


@lru_cache(maxsize=256)
def _closed_integral(
    function: sp.Expr, power: int, middle: tuple[tuple[sp.Symbol, sp.Expr], ...]
) -> sp.Expr:
    weighted = MARGIN**power * function
    whole = sp.Integral(weighted, (MARGIN, 0, sp.oo))
    found = _by_partial_fractions(function, power)
    if found is None:
        try:
            found = sp.simplify(sp.integrate(weighted, (MARGIN, 0, sp.oo), conds="none"))
        except (NotImplementedError, ValueError, TypeError):
            return whole
    if found.has(sp.Integral, sp.oo, sp.nan, sp.zoo):
        return whole
    with mpmath.workdps(DIGITS):
        direct = mpmath.quad(
            sp.lambdify(MARGIN, weighted.subs(dict(middle)), "mpmath"), [0, 1, 2, 4, 16, mpmath.inf]
        )
        value = sp.N(found.subs(dict(middle)), DIGITS)
        agrees = value.is_real and abs(value - direct) <= _AGREE * (1 + abs(direct))
    return found if agrees else whole


def _by_partial_fractions(function: sp.Expr, power: int) -> sp.Expr | None:
    """Integrate a rational function of one exponential that has poles at -1 only, times a power; None if it is something else."""
    q, n = sp.symbols("q n", positive=True)
    if function.has(sp.Piecewise):
        return None
    written = sp.expand(sp.together(function.rewrite(sp.exp)), power_exp=False)
    rates = {}
    for part in written.atoms(sp.exp):
        rate = sp.cancel(part.exp / MARGIN)
        if not rate.is_Rational:
            return None
        rates[part] = rate
    if not rates:
        return None
    unit = sp.Abs(reduce(sp.gcd, rates.values()))
    inserted = written.xreplace({part: q ** (-rate / unit) for part, rate in rates.items()})
    if MARGIN in inserted.free_symbols:
        return None
    total, rest, s = sp.S.Zero, sp.S.Zero, power + 1
    for term in sp.Add.make_args(sp.apart(sp.cancel(inserted), q)):
        above, below = sp.fraction(sp.factor(term))
        if not below.has(q):
            degree = sp.degree(above, q)
            factor = sp.cancel(term / q**degree)
            if factor.has(q):
                return None
            if degree == 0:
                rest += factor
            else:
                total += factor * sp.gamma(s) / (unit * degree) ** s
            continue
        order = sp.degree(below, q)
        factor = sp.cancel(term * (1 + q) ** order)
        if factor.has(q):
            return None
        rest += factor
        # 1/(1 + q)^j = sum over n of (-q)^n times a polynomial in n
        many = sp.Poly(
            sp.expand(sp.prod(((n + i) / sp.Integer(i) for i in range(1, order)), start=sp.S.One)),
            n,
        )
        for (degree,), coefficient in many.terms():
            total -= (
                factor
                * coefficient
                * sp.gamma(s)
                / unit**s
                * sp.dirichlet_eta(s - degree).rewrite(sp.zeta)
            )
    # what is left at q = 0 would not decay
    return sp.expand(total) if rest == 0 else None


def tail_power(model: FixedNorm) -> sp.Expr:
    r"""Return t of a force that falls as :math:`u^{-t}`: infinite if it falls faster than any power.

    Parameters
    ----------
    model : FixedNorm
        Of any loss.

    Returns
    -------
    Expr
        A number, or an expression in the loss's parameters.

    Examples
    --------
    >>> tail_power(FixedNorm())
    oo
    >>> tail_power(FixedNorm(1 / (1 + MARGIN)))
    2
    """
    instance("model", model, FixedNorm)
    far = sp.Symbol("u", positive=True)
    force = model.force.subs(MARGIN, far)
    if isinstance(force, sp.Piecewise):
        force = force.args[-1][0]
    if force == 0:
        return sp.oo
    found = sp.limit(sp.simplify(-far * sp.diff(force, far) / force), far, sp.oo)
    return sp.simplify(found)
