r"""How couplings of a loss change when modes are integrated out: flow equations, each derived from what is integrated.

In every convention :math:`\ell = \ln(\Lambda_0/\Lambda)`, and couplings are in units that make the equations autonomous.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import choice, flag, instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Step, step
from ..parameters import as_expression
from ..references import RINGEL_2025, RUBIN_2025
from ..symbols import ALPHA, as_exponent, free_box
from ._letters import BOX, CUTOFF, QUADRATIC, QUARTIC, RATIO

RATE_R, RATE_U = sp.symbols("B_R B_U", real=True)
_R, _U = sp.symbols("r u", real=True)
_SLOPE, _SLOPE_U, _LEFT, _FOURTH = sp.symbols("C_r C_u F W", real=True)
_DELTA, _MODE, _G, _M4, _LAMBDA = sp.symbols("Delta f G M_4 lambda", positive=True)
_STIFF, _LATER = sp.symbols("q lambda_X", positive=True)
_UNIT_R, _UNIT_U = sp.symbols("b_R b_U", real=True)

ORDER = sp.Symbol("n", positive=True)
_START, _SPREAD, _SCALED, _Z, _GENERATING, _FADED = sp.symbols("t s tau z H p_n", positive=True)


@short_repr
@dataclass(frozen=True)
class Flow:
    r"""Two dimensionless couplings R and U and their rates, :math:`dR/d\ell` and :math:`dU/d\ell`.

    Attributes
    ----------
    rates : tuple of Expr
        Rational functions of `QUADRATIC` and `QUARTIC` (R and U); the first is linear in U.
    steps : tuple of Step
        How they were derived; none for rates of one's own.
    at_infinity : bool
        Whether to look for zeros at 1/R = 0 too, at fixed U/R^2.
    spectrum : Expr or None
        All growth exponents at the stable zero, of whatever is left out too, in n; None if they are not known.
    spectrum_steps : tuple of Step
        How they were derived.
    box : mapping
        Ranges of the parameters in which derivations are checked.
    """

    rates: tuple[sp.Expr, sp.Expr]
    steps: tuple[Step, ...] = ()
    at_infinity: bool = False
    spectrum: sp.Expr | None = None
    spectrum_steps: tuple[Step, ...] = ()
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse rates that zeros cannot be found of, and what is no flag."""
        flag("at_infinity", self.at_infinity)
        instance("rates", self.rates, tuple, list)
        rates = tuple(as_expression("rates", rate) for rate in self.rates)
        if len(rates) != 2 or not all(
            rate.is_rational_function(QUADRATIC, QUARTIC) for rate in rates
        ):
            raise refusal("rates", self.rates, "must be two rational functions of R and U")
        top = sp.Poly(sp.numer(sp.together(rates[0])), QUARTIC)
        if top.degree() != 1:
            raise refusal("rates", self.rates, "the first must be linear in U")
        object.__setattr__(self, "rates", rates)
        free_box(self.box, self._letters)

    @property
    def _letters(self) -> sp.Tuple:
        """Symbols of the rates that are no couplings."""
        used = set().union(*(rate.free_symbols for rate in self.rates)) - {QUADRATIC, QUARTIC}
        return sp.Tuple(*sorted(used, key=str))

    @property
    def parameters(self) -> dict[sp.Symbol, tuple[Any, Any]]:
        """Symbols of the rates, and the ranges in which derivations are checked."""
        found = free_box(self.box, self._letters)
        return found if self.spectrum is None else {**found, ORDER: (sp.S.One, sp.Integer(4))}


def likelihood_flow(spectrum_exponent: Any = 1 + ALPHA) -> Flow:
    r"""Derive the flow of a likelihood that each datum has for itself, :math:`e^{-V(\Delta)}`, :math:`V = r\Delta^2 + u\Delta^4`.

    Parameters
    ----------
    spectrum_exponent : Expr or number
        b > 1.

    Returns
    -------
    Flow
        :math:`R' = \alpha R - R^2 + U,\ U' = 2\alpha U - 4RU`, with :math:`R = 2r\Lambda^{-\alpha}, U = 12u\Lambda^{-2\alpha}`. Exact but
        for the sixth power of the residual, which is left out.

    Examples
    --------
    >>> likelihood_flow(2).rates
    (-R**2 + R + U, -4*R*U + 2*U)
    """
    alpha = _exponent(spectrum_exponent) - 1
    potential = _R * _DELTA**2 + _U * _DELTA**4
    weight = sp.exp(-potential)
    rate = sp.expand(-sp.diff(weight, _DELTA, 2) / (2 * weight))
    slopes = {power: rate.coeff(_DELTA, power) for power in (2, 4)}
    rest = sp.expand(rate - sum(slopes[power] * _DELTA**power for power in slopes))
    pace = CUTOFF**-alpha
    rates = (
        sp.expand(alpha * QUADRATIC - QUADRATIC**2 + QUARTIC),
        sp.expand(2 * alpha * QUARTIC - 4 * QUADRATIC * QUARTIC),
    )
    steps = (
        step(
            _SLOPE,
            slopes[2],
            DEFINITION,
            "rate of the quadratic coupling r per variance s of the modes that are integrated",
            RINGEL_2025,
        ),
        step(_SLOPE_U, slopes[4], DEFINITION, "rate of the quartic coupling u"),
        step(
            _LEFT,
            rate,
            DEFINITION,
            "integrated modes are Gaussian noise on the residual Delta: p = e^-V spreads by dp/ds = p''/2, that is dV/ds = V''/2 - V'^2/2, "
            "for V = r Delta^2 + u Delta^4",
        ),
        step(
            _LEFT,
            _SLOPE * _DELTA**2 + _SLOPE_U * _DELTA**4 + rest,
            EQUAL,
            "power by power; of the sixth, -8 u^2 is left out, and it is the only place of u^2",
        ),
        step(
            _R,
            QUADRATIC * CUTOFF**alpha / 2,
            DEFINITION,
            "the quadratic coupling in units of the cutoff: R = 2 r Lambda^-alpha",
        ),
        step(
            _U,
            QUARTIC * CUTOFF ** (2 * alpha) / 12,
            DEFINITION,
            "the quartic one: U = 12 u Lambda^(-2 alpha)",
        ),
        step(
            RATE_R,
            alpha * QUADRATIC + 2 * pace * pace * _SLOPE,
            DEFINITION,
            "rate per l = ln(Lambda_0/Lambda), in which s grows by Lambda lambda = Lambda^-alpha: units, and slope",
        ),
        step(RATE_R, rates[0], EQUAL, "no scale is left"),
        step(
            RATE_U,
            2 * alpha * QUARTIC + 12 * pace**3 * _SLOPE_U,
            DEFINITION,
            "the same of the quartic coupling",
        ),
        step(RATE_U, rates[1], EQUAL, "no scale is left"),
    )
    spectrum_steps = (
        step(
            _SCALED,
            _START / sp.sqrt(_SPREAD),
            DEFINITION,
            "a point of the initial likelihood, in units of the deviation sqrt(s) of the integrated modes",
        ),
        step(
            _GENERATING,
            sp.exp((_Z**2 - (_Z * sp.sqrt(_SPREAD) - _START) ** 2 / _SPREAD) / 2),
            DEFINITION,
            "what that point has become at the residual z sqrt(s), over what a point at zero has: a convolution, without truncation",
        ),
        step(
            _GENERATING,
            sp.exp(_Z * _SCALED - _SCALED**2 / 2),
            EQUAL,
            "the generating function of Hermite polynomials in z: the moment of order 2 n of the initial likelihood adds a "
            "perturbation of the heat kernel that falls as s^-n",
        ),
        step(
            _SPREAD,
            (CUTOFF / RATIO) ** -alpha / alpha,
            DEFINITION,
            "variance of all modes beyond the cutoff, which has come down from Lambda by the factor X",
        ),
        step(_FADED, _SPREAD**-ORDER, DEFINITION, "that perturbation"),
        step(
            _FADED,
            (alpha * CUTOFF**alpha) ** ORDER * RATIO ** (-ORDER * alpha),
            EQUAL,
            "exponents -n alpha: the likelihood forgets everything but that it is a Gaussian of variance s",
        ),
    )
    return Flow(rates, steps, spectrum=-ORDER * alpha, spectrum_steps=spectrum_steps)


def action_flow(momentum: str = "generic", spectrum_exponent: Any = 1 + ALPHA) -> Flow:
    r"""Derive the flow of the action :math:`\frac12\sum f_k^2/\lambda_k + r\int\Delta^2 + u\int\Delta^4` to one loop.

    Parameters
    ----------
    momentum : {"generic", "conserving"}
        Eigenfunctions in general, whose products have no sum rule; or those of a translation-invariant kernel.
    spectrum_exponent : Expr or number
        b > 1.

    Returns
    -------
    Flow
        :math:`R' = (1 + \alpha)R + U/(1 + R),\ U' = (1 + 2\alpha)U - 3U^2/(1 + R)^2`, the last term for conserved momenta only, with
        :math:`R = 2r\lambda, U = 12u\Lambda\lambda^2` and :math:`\lambda = \Lambda^{-1-\alpha}`.

    Examples
    --------
    >>> action_flow("generic", 2).rates
    (2*R + U/(R + 1), 3*U)
    """
    choice("momentum", momentum, ("generic", "conserving"))
    b = _exponent(spectrum_exponent)
    conserved = momentum == "conserving"
    density = sp.exp(-(_MODE**2) * _STIFF / (2 * _LAMBDA))
    norm = sp.Integral(density, (_MODE, 0, sp.oo))
    square = sp.Integral(_MODE**2 * density, (_MODE, 0, sp.oo)) / norm
    fourth = sp.Integral(_MODE**4 * density, (_MODE, 0, sp.oo)) / norm
    split = ((_DELTA + _MODE) ** 4 + (_DELTA - _MODE) ** 4) / 2
    quadratic = b * QUADRATIC + QUARTIC / (1 + QUADRATIC)
    quartic = (2 * b - 1) * QUARTIC
    if conserved:
        quartic -= 3 * QUARTIC**2 / (1 + QUADRATIC) ** 2
    steps = [
        step(
            _G,
            square,
            DEFINITION,
            "variance of the mode at the cutoff, whose action is f^2 (1 + 2 r lambda)/(2 lambda); q = 1 + 2 r lambda",
            RINGEL_2025,
        ),
        step(_G, _LAMBDA / _STIFF, EQUAL, "a Gaussian"),
        step(
            _FOURTH,
            split,
            DEFINITION,
            "the quartic term with that mode, at one point where its eigenfunction is one",
        ),
        step(
            _FOURTH,
            _DELTA**4 + 6 * _DELTA**2 * _MODE**2 + _MODE**4,
            EQUAL,
            "odd powers average out",
        ),
        step(
            _SLOPE,
            _U * _G * (_FOURTH - _DELTA**4 - _MODE**4) / (_DELTA**2 * _MODE**2),
            DEFINITION,
            "what the mode adds to r: its eigenfunction squared is one on average",
            RUBIN_2025,
        ),
        step(_SLOPE, 6 * _U * _G, EQUAL, "the tadpole"),
    ]
    if conserved:
        steps += [
            step(_M4, fourth, DEFINITION, "fourth moment of the mode"),
            step(_M4, 3 * _G**2, EQUAL, "a Gaussian"),
            step(
                _SLOPE_U,
                -((6 * _U) ** 2) * (_M4 - _G**2) / 2,
                DEFINITION,
                "what it adds to u at second order, -1/2 of the variance of 6 u f^2: pairs of modes whose momenta add up to those of the "
                "modes that are kept rebuild a local term",
            ),
            step(_SLOPE_U, -36 * _U**2 * _G**2, EQUAL, "the bubble"),
        ]
    steps += [
        step(_LAMBDA, CUTOFF**-b, DEFINITION, "the eigenvalue at the cutoff"),
        step(
            _LATER,
            (CUTOFF / RATIO) ** -b,
            DEFINITION,
            "the same after the cutoff has come down by X",
        ),
        step(
            _UNIT_R,
            sp.log(_LATER / _LAMBDA) / sp.log(RATIO),
            DEFINITION,
            "by what power of X the unit of r, 1/(2 lambda), falls",
        ),
        step(_UNIT_R, b, EQUAL, "the dimension of R = 2 r lambda"),
        step(
            _UNIT_U,
            sp.log((_LATER / _LAMBDA) ** 2 / RATIO) / sp.log(RATIO),
            DEFINITION,
            "by what power that of u, 1/(12 Lambda lambda^2)",
        ),
        step(_UNIT_U, 2 * b - 1, EQUAL, "the dimension of U = 12 u Lambda lambda^2"),
        step(_STIFF, 1 + QUADRATIC, DEFINITION, "with R = 2 r lambda"),
        step(
            _U,
            QUARTIC / (12 * CUTOFF * _LAMBDA**2),
            DEFINITION,
            "the quartic coupling in units of the cutoff: U = 12 u Lambda lambda^2",
        ),
        step(
            RATE_R,
            _UNIT_R * QUADRATIC + 2 * _LAMBDA * CUTOFF * _SLOPE,
            DEFINITION,
            "rate per l = ln(Lambda_0/Lambda), in which Lambda modes are integrated: units, and tadpoles",
        ),
        step(RATE_R, quadratic, EQUAL, "no scale is left"),
        step(
            RATE_U,
            _UNIT_U * QUARTIC
            + (12 * CUTOFF**2 * _LAMBDA**2 * _SLOPE_U if conserved else sp.S.Zero),
            DEFINITION,
            "of the quartic coupling: units, and bubbles"
            if conserved
            else "of the quartic coupling: its units only; at second order eigenfunctions in general leave (int Delta^2)^2, which is not "
            "int Delta^4",
        ),
    ]
    steps.append(step(RATE_U, quartic, EQUAL, "no scale is left"))
    return Flow((quadratic, quartic), tuple(steps), at_infinity=True)


def _exponent(value: Any) -> sp.Expr:
    b = as_exponent("spectrum_exponent", value, "the eigenvalues k^-b")
    if (b - 1).is_nonpositive:
        raise refusal("spectrum_exponent", b, "must exceed 1: the kernel has a finite trace")
    return b
