r"""The error at a fixed ratio of norm and samples per input: the master curve, its minimum, and what follows.

As :math:`\alpha \to \infty` at fixed :math:`\lambda/\alpha` the angle to the teacher goes to zero,
:math:`s = \sqrt{1 - R^2} \sim 1/\alpha`, while :math:`b = \lambda s` stays. Displacements :math:`\eta = \delta/s` of fields
:math:`u = \omega/s` solve :math:`\eta = c\,g(b(u + \eta))`, g being the force, and the saddle point is

.. math:: \int\varphi(u)\,\eta(u)\,du = \int\Phi(u)\,\eta(u)^2\,du = \frac1a, \qquad
          \frac\lambda\alpha = \sqrt{\tfrac2\pi}\,\frac ba, \qquad \alpha\varepsilon = \frac a{\sqrt{2\pi}}, \qquad
          \sqrt\alpha\,\frac{\varepsilon}{\varepsilon_0} = a

By the margin :math:`v = b(u + \eta)` itself the integrals are explicit: :math:`\eta = c\,g(v)`, :math:`u = v/b - c\,g(v)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import brentq, root

from ...arguments import flag, instance
from ...errors import ConvergenceError, refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, solves, step
from ..records import Derived, Form, Regime
from ..references import AUBIN_2020, DAMICO_2025
from ..symbols import ALPHA
from .displacements import PUSH, WIDTH, densities, folded
from .early import (
    AMPLITUDE,
    ERROR,
    RELATIVE,
    derive_early,
    derive_hebb,
    require_fast_force,
    squared_force,
)
from .losses import MARGIN, FixedNorm

_A, _S, _FIRST, _SECOND = sp.symbols("a s e_1 e_2", positive=True)
_KEPT = 14  # digits of constants without closed form, found in floats
_CLOSE = 1e-12
_SCAN = np.geomspace(0.15, 25, 20)  # of b, over the integral of the squared force


# -- the minimum --------------------------------------------------------------------------------------------------------


@short_repr
@dataclass(frozen=True)
class MasterOptimum:
    r"""The minimum of the master curve.

    Attributes
    ----------
    width, push, amplitude : Float
        b, c and a at the minimum, to 13 digits: :math:`\lambda_{\rm opt} = \sqrt{2/\pi}\,(b/a)\,\alpha`,
        :math:`\alpha\varepsilon_{\rm opt} = a/\sqrt{2\pi}`.
    """

    width: sp.Float
    push: sp.Float
    amplitude: sp.Float

    @property
    def norm(self) -> sp.Expr:
        """Best norm over alpha."""
        return sp.N(sp.sqrt(2 / sp.pi) * self.width / self.amplitude, _KEPT)

    @property
    def error(self) -> sp.Expr:
        """Alpha times the least error."""
        return sp.N(self.amplitude / sp.sqrt(2 * sp.pi), _KEPT)


def master_optimum(model: FixedNorm) -> MasterOptimum:
    r"""Find the minimum of the master curve of a loss.

    Along the curve the two integrals stay equal; at the minimum of :math:`a` their derivatives in b and c are proportional, too.

    Parameters
    ----------
    model : FixedNorm
        A loss without parameters that is smooth at all margins.

    Returns
    -------
    MasterOptimum
        To 13 digits.

    Raises
    ------
    DomainError
        If the loss has parameters, is not smooth or not convex at all margins, or if the error has no minimum at finite norm.
    ConvergenceError
        If the minimum is not found to that accuracy.

    Notes
    -----
    A scan and a hybrid Newton method, with Gauss-Legendre quadrature in panels of 16 nodes: half a second.

    Examples
    --------
    >>> found = master_optimum(FixedNorm())
    >>> found.norm.evalf(10), found.error.evalf(10)
    (0.8835850984, 0.4419779178)
    """
    instance("model", model, FixedNorm)
    if model.box or model.force.has(sp.Piecewise):
        raise refusal(
            "loss",
            model.loss,
            "must be smooth at all margins, and have no parameters, for its best norm to be found",
        )
    require_fast_force(model)
    unit = float(squared_force(model))
    forces = model.at(model.force, unit * np.linspace(-20, 20, 401))
    if not np.all(np.isfinite(forces)) or np.any(np.diff(forces) > 1e-12 * np.abs(forces[1:])):
        raise refusal("loss", model.loss, "must be convex at all margins, negative ones included")
    # the convention for the norm does not matter: one search for both
    return _searched(model.loss)


@lru_cache(maxsize=32)
def _searched(loss: sp.Expr) -> MasterOptimum:
    model = FixedNorm(loss)
    nodes, weights = np.polynomial.legendre.leggauss(16)
    unit = float(squared_force(model))  # of margins
    edges = unit * np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 64)])
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    v, w = (middle[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel()
    v, w = np.concatenate([-v, v]), np.concatenate([w, w])
    density = sp.lambdify((MARGIN, WIDTH, PUSH), densities(model), ["scipy", "numpy"], cse=True)

    def values(b: float, c: float) -> list[float]:
        # far from where fields are, forces can be too large for floats, and their weights too small
        return [float(np.nansum(w * found)) for found in density(v, b, c)]

    def unequal(log_c: float, b: float) -> float:
        first, second, *_ = values(b, np.exp(log_c))
        return math.log(first / second)

    def conditions(at: Any) -> list[float]:
        first, second, first_b, first_c, second_b, second_c = values(*np.exp(at))
        return [first - second, first_b * second_c - first_c * second_b]

    def push(b: float) -> float:
        # the force needed grows exponentially with the norm
        high = next((end for end in range(2, 200, 4) if unequal(end, b) < 0), 200)
        return float(np.exp(brentq(unequal, -12, high, args=(b,), xtol=1e-6)))

    with np.errstate(all="ignore"):
        widths = unit * _SCAN
        pushes = [push(b) for b in widths]
        levels = [1 / values(b, c)[0] for b, c in zip(widths, pushes, strict=True)]
        best = int(np.argmin(levels))
        if best in (0, len(levels) - 1):
            raise refusal(
                "loss", model.loss, "has no best norm: the error keeps falling towards one end"
            )
        found = root(conditions, np.log([widths[best], pushes[best]]), tol=1e-13)
        width, pushed = map(float, np.exp(found.x))
        first, second, first_b, first_c, second_b, second_c = values(width, pushed)
    balanced = abs(first - second) <= _CLOSE * first
    if not balanced or abs(first_b * second_c / (first_c * second_b) - 1) > _CLOSE:
        raise ConvergenceError(f"the best norm for the loss {loss} was not found: {found.message}")
    return MasterOptimum(*(sp.Float(value, _KEPT) for value in (width, pushed, 1 / first)))


# -- what follows from it -----------------------------------------------------------------------------------------------


def _optimum_steps(model: FixedNorm) -> list[Step]:
    """Write the saddle point at the minimum of the master curve."""
    best = master_optimum(model)
    first, second, first_b, first_c, second_b, second_c = map(folded, densities(model))
    determinant = sp.Symbol("D")
    return [
        step(
            PUSH,
            best.push,
            DEFINITION,
            "the displacement at zero margin over the angle, at the best norm: found by computation",
        ),
        step(
            _FIRST,
            first,
            DEFINITION,
            "mean displacement over Gaussian fields v/b - c g(v), by the margin v",
            AUBIN_2020,
        ),
        step(
            _SECOND,
            second,
            DEFINITION,
            "mean squared displacement over fields on the teacher's side",
            AUBIN_2020,
        ),
        step(
            WIDTH,
            best.width,
            solves(sp.Eq(_FIRST, _SECOND, evaluate=False)),
            "the angle times the norm: the two equations of the saddle point are one, in which alpha and lambda do not appear",
        ),
        step(
            determinant,
            first_b * second_c,
            DEFINITION,
            "along the curve both integrals change alike",
        ),
        step(
            determinant,
            first_c * second_b,
            EQUAL,
            "and where the error is least they do not change at all",
        ),
        step(_A, 1 / _FIRST, DEFINITION, "alpha times the error, times sqrt(2 pi)"),
        step(
            _S,
            _A * sp.sqrt(sp.pi / 2) / ALPHA,
            solves(sp.Eq(ALPHA * sp.sqrt(2 / sp.pi) * _S * _FIRST, 1, evaluate=False)),
            "the angle to the teacher falls as 1/alpha",
        ),
    ]


def derive_best_norm(model: FixedNorm) -> Derived:
    r"""Derive how the best norm grows with the number of samples per input.

    Parameters
    ----------
    model : FixedNorm
        Any smooth loss, in either convention for the norm.

    Returns
    -------
    Derived
        Growth exponent :math:`\gamma_2 = p` and constant :math:`k_2`; p is the power of the convention.

    Raises
    ------
    DomainError
        As `master_optimum`.

    Examples
    --------
    >>> derive_best_norm(FixedNorm(convention="squared")).expr
    2
    """
    instance("model", model, FixedNorm)
    p, best = model.power, master_optimum(model)
    constant = sp.N(best.norm**p, _KEPT)

    def build() -> Derivation:
        steps = [
            *_optimum_steps(model),
            step(model.norm, (WIDTH / _S) ** p, DEFINITION, "the norm at which that is"),
            step(AMPLITUDE, constant, DEFINITION, "k_2, the constant in front"),
            step(
                model.norm,
                AMPLITUDE * ALPHA**p,
                EQUAL,
                "proportional to alpha, for every loss",
                DAMICO_2025,
            ),
        ]
        return Derivation(tuple(steps))

    forms = {
        "best_norm": Form(constant * ALPHA**p, f"{model.norm} of the least error, large alpha"),
    }
    return Derived((Regime("large alpha", sp.true, p, constant),), (), build, forms=forms)


def printed_over_derived(model: FixedNorm) -> sp.Expr:
    r"""Return :math:`k_1 k_2^{-\gamma_1}` over the amplitude of the relative error at the best norm: :math:`\sqrt{I/(ab)}`.

    Parameters
    ----------
    model : FixedNorm
        Any smooth loss.

    Returns
    -------
    Float
        Also the limit of :math:`x^{\gamma_1}\Phi(x)` at small x, for the master curve in units of its minimum.

    Examples
    --------
    >>> printed_over_derived(FixedNorm()).evalf(8)
    0.53310716
    """
    best = master_optimum(model)
    return sp.N(sp.sqrt(squared_force(model) / (best.amplitude * best.width)), _KEPT)


def derive_combined(model: FixedNorm, *, absolute: bool = False) -> Derived:
    r"""Derive how the error at the best norm falls with the number of samples per input.

    Parameters
    ----------
    model : FixedNorm
        Any smooth loss, in either convention for the norm.
    absolute : bool
        The error itself, instead of the error over that at zero norm.

    Returns
    -------
    Derived
        Relative: exponent :math:`\gamma_1\gamma_2`, constant :math:`\lim\sqrt\alpha\,\varepsilon_{\rm opt}/\varepsilon_0`.
        Absolute: exponent :math:`\gamma_0 + \gamma_1\gamma_2`, constant :math:`\lim\alpha\varepsilon_{\rm opt}`. Forms
        ``relative_exponent``, ``absolute_exponent``, ``relative_error``, ``error``, ``published_amplitude``
        (:math:`k_1 k_2^{-\gamma_1}`) and ``overshoot``, the exact amplitude over that.

    Raises
    ------
    DomainError
        As `master_optimum`.

    Examples
    --------
    >>> derive_combined(FixedNorm()).expr, derive_combined(FixedNorm(), absolute=True).expr
    (1/2, 1)
    """
    instance("model", model, FixedNorm)
    flag("absolute", absolute)
    early, growth, hebb, best = (
        derive_early(model),
        derive_best_norm(model),
        derive_hebb(model),
        master_optimum(model),
    )
    product = early.expr * growth.expr
    exponent, constant = (
        (hebb.expr + product, best.error) if absolute else (product, best.amplitude)
    )
    printed = sp.N(best.amplitude * printed_over_derived(model), _KEPT)

    def build() -> Derivation:
        rest, one, two = sp.symbols("gamma_0 gamma_1 gamma_2", positive=True)
        start = sp.Symbol("epsilon_0", positive=True)
        steps = [
            *_optimum_steps(model),
            step(
                ERROR,
                sp.asin(_S) / sp.pi,
                DEFINITION,
                "share of inputs on which an angle disagrees",
            ),
            step(ERROR, _A / (sp.sqrt(2 * sp.pi) * ALPHA), asymptotic(ALPHA), "small angles"),
            step(
                start,
                sp.atan(sp.sqrt(sp.pi / (2 * ALPHA))) / sp.pi,
                DEFINITION,
                "the error at zero norm",
            ),
            step(start, hebb.constant * ALPHA**-hebb.expr, asymptotic(ALPHA), "for large alpha"),
            step(rest, hebb.expr, DEFINITION, "exponent at fixed norm"),
            step(one, early.expr, DEFINITION, "exponent of the error against the norm"),
            step(two, growth.expr, DEFINITION, "exponent of the best norm"),
            step(RELATIVE, ERROR / start, DEFINITION, "the relative error"),
            step(AMPLITUDE, best.amplitude, DEFINITION, "the constant in front"),
            step(
                RELATIVE,
                AMPLITUDE * ALPHA ** -(one * two),
                EQUAL,
                "its exponent is gamma_1 gamma_2",
                DAMICO_2025,
            ),
        ]
        if absolute:
            limit = sp.Symbol("c_abs", positive=True)
            steps += [
                step(limit, constant, DEFINITION, "the constant in front"),
                step(
                    ERROR,
                    limit * ALPHA ** -(rest + one * two),
                    EQUAL,
                    "that of the error itself is gamma_0 more",
                ),
            ]
        return Derivation(tuple(steps))

    forms = {
        "relative_exponent": Form(
            product, "gamma_1 gamma_2: the relative error, over that at zero norm"
        ),
        "absolute_exponent": Form(
            hebb.expr + product, "gamma_0 + gamma_1 gamma_2: the error itself"
        ),
        "relative_error": Form(
            best.amplitude * ALPHA**-product, "relative error at the best norm, large alpha"
        ),
        "error": Form(
            best.error * ALPHA ** -(hebb.expr + product), "error at the best norm, large alpha"
        ),
        "published_amplitude": Form(
            printed, "k_1 k_2^(-gamma_1), from the early power law continued up to the best norm"
        ),
        "overshoot": Form(
            sp.N(best.amplitude / printed, _KEPT),
            "the exact amplitude of the relative error over that",
        ),
    }
    regime = Regime("large alpha", sp.true, exponent, constant)
    return Derived((regime,), (), build, forms=forms)


def derive_elbow(model: FixedNorm) -> Derived:
    r"""Derive where the early power law, continued, meets the error at the best norm.

    Parameters
    ----------
    model : FixedNorm
        Any smooth loss, in either convention for the norm.

    Returns
    -------
    Derived
        Growth exponent :math:`\gamma_2` and constant of
        :math:`\lambda_{\rm elbow} = (k_1\varepsilon_0/\varepsilon_{\rm opt})^{1/\gamma_1}`.
        Forms ``elbow``, ``lower_end`` (where the power law begins) and ``share`` (elbow over best norm).

    Raises
    ------
    DomainError
        As `master_optimum`.

    Examples
    --------
    >>> derive_elbow(FixedNorm()).constant.evalf(7)
    0.2511178
    """
    instance("model", model, FixedNorm)
    early, growth, best = derive_early(model), derive_best_norm(model), master_optimum(model)
    constant = sp.N((early.constant / best.amplitude) ** (1 / early.expr), _KEPT)

    def build() -> Derivation:
        combined = derive_combined(model).derivation.steps
        rising = sp.Symbol("c_elbow", positive=True)
        level = early.constant * (ALPHA ** sp.Rational(1, 2) / best.amplitude)
        steps = [
            *combined,
            step(
                model.norm,
                level ** (1 / early.expr),
                solves(sp.Eq(early.constant * model.norm**-early.expr, RELATIVE, evaluate=False)),
                "where the early power law reaches the least relative error",
            ),
            step(rising, constant, DEFINITION, "the constant in front"),
            step(
                model.norm,
                rising * ALPHA**growth.expr,
                EQUAL,
                "proportional to the best norm, and well before it",
            ),
        ]
        return Derivation(tuple(steps))

    forms = {
        "elbow": Form(constant * ALPHA**growth.expr, f"{model.norm} at the elbow, large alpha"),
        "lower_end": early.forms["lower_end"],
        "share": Form(sp.N(constant / growth.constant, _KEPT), "elbow over best norm"),
    }
    return Derived((Regime("large alpha", sp.true, growth.expr, constant),), (), build, forms=forms)
