r"""The kernel of a two-layer network, followed exactly through training.

Under gradient flow the kernel is :math:`s(\tau)` times what a fixed kernel would need, with :math:`d\tau = s\,dt` and

.. math:: s\,(s - 1) = \gamma \sum_k (w^*_k)^2\, \Phi_k^2, \qquad L = \sum_k s_k (1 - \Phi_k)^2,

:math:`\Phi_k` being the learned fraction of mode k. Modes are learned in the order of their eigenvalues, so that :math:`\Phi_k` is a
function of :math:`\tau\lambda_k`: for hard tasks, whose kernel grows as a power of :math:`\tau`, that function is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import mpmath
import sympy as sp

from ...arguments import digit_count, instance
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import EXP, ONE_MINUS_EXP, MellinCombination, MellinSymbol, X, power_sum
from ..derivation import DEFINITION, EQUAL, Derivation, Relation, Step, asymptotic, solves, step
from ..linear import TimeLimited, derive_time
from ..optimum import pieces
from ..parameters import as_expression
from ..records import Derived, Regime
from ..references import BORDELON_2024_FEATURES, FLAJOLET_1995
from ..relations import against_zero
from ..symbols import ALPHA, BETA, BOX, INDEX, T, check_task, free_box
from .exponents import BOUNDARY, CONSTANT, GAMMA, LOSS, TAU, integral, renamed

_LARGEST = 1000  # exponent of which Gamma functions are written down

POINT = sp.Symbol("z", positive=True)
_B, _S, _TIME, _NU, _PHI, _W = sp.symbols("B s t_tau nu Phi w", positive=True)
_I1, _I2, _RATE = sp.symbols("I_1 I_2 a", positive=True)
LEARNED = 2 * ONE_MINUS_EXP - ONE_MINUS_EXP.scale(2)  # (1 - exp(-x))^2


@short_repr
@dataclass(frozen=True)
class WarpLimited:
    r"""A two-layer network in training, features and samples unlimited.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a: eigenvalues :math:`k^{-b}`, signal power :math:`k^{-a}`, weights :math:`(w^*_k)^2 = k^{-(a - b)}`.
    learned : MellinSymbol or MellinCombination
        Square of the learned fraction of a mode as a function of :math:`\tau\lambda_k`, where only exponents are asked for.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    learned: MellinSymbol | MellinCombination = LEARNED
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent and no shape."""
        check_task(self, "learned")


def derive_network(model: WarpLimited) -> Derived:
    r"""Derive how fast a two-layer linear network learns, from the balance between its layers.

    Gradient flow conserves the difference of the layers' squared weights, which ties the kernel to what has been learned:
    :math:`s(s - 1) = \gamma \sum_k (w^*_k)^2 \Phi_k^2`.

    Parameters
    ----------
    model : WarpLimited
        Any spectrum, signal and learned fraction.

    Returns
    -------
    Derived
        Regimes of ``L(t)`` with their exponents.

    Examples
    --------
    >>> derive_network(WarpLimited(spectrum_exponent=2, signal_exponent=3)).regimes[0].log_power
    -1/2
    """
    instance("model", model, WarpLimited)
    a, b = model.signal_exponent, model.spectrum_exponent
    x = sp.cancel((a - 1) / b)
    weights = sp.expand(a - b)
    norm = power_sum(weights, model.learned.compose(-b))
    lazy = derive_time(TimeLimited(b, a, EXP, model.box))
    hard, easy, line = _split(x)
    plain = [branch for branch in norm.branches() if not branch.candidate.log_power]
    found = []
    for name, where, exponent, logs in (
        ("hard", hard, sp.factor(2 * x / (1 + x)), 0),
        ("easy", easy, x, 0),
        (BOUNDARY, line, sp.S.One, -sp.Rational(1, 2)),
    ):
        if where != sp.false:
            found.append(Regime(name, where, exponent, None, logs))

    def build() -> Derivation:
        total = sp.Sum(
            INDEX**-weights * model.learned.function.subs(X, TAU * INDEX**-b), (INDEX, 1, sp.oo)
        )
        grown, warped, elapsed = [], [], []
        for branch in plain:
            weight, where = branch.candidate.coefficient, branch.condition
            if branch.candidate.origin == "zeta":
                rate = sp.sqrt(GAMMA * weight)
                grown.append((rate * TAU ** ((1 - x) / 2), where))
                elapsed.append((2 * TAU ** ((1 + x) / 2) / (rate * (1 + x)), where))
                warped.append(((rate * (1 + x) * T / 2) ** (2 / (1 + x)), where))
            else:
                bounded = (1 + sp.sqrt(1 + 4 * GAMMA * weight)) / 2
                grown.append((bounded, where))
                elapsed.append((TAU / bounded, where))
                warped.append((bounded * T, where))
        steps = [renamed(entry, {T: TAU}) for entry in lazy.derivation.steps]
        steps += [
            step(_B, total, DEFINITION, "squared weights learned so far", BORDELON_2024_FEATURES),
            step(
                _B,
                norm.leading(TAU ** (1 / b)),
                asymptotic(TAU),
                "leading Mellin residue: they diverge where the task is hard",
                FLAJOLET_1995,
            ),
            *_kernel_of(_B),
        ]
        if not grown:  # on the boundary nothing is a pure power
            slow = sp.sqrt(GAMMA * norm.leading(TAU ** (1 / b)))
            steps += [
                step(_S, slow, asymptotic(TAU), "the kernel grows as the root of a logarithm"),
                step(
                    _TIME,
                    integral(1 / slow.subs(TAU, TAU + 2), TAU, TAU),
                    DEFINITION,
                    "time that has passed: dt = dtau/s",
                ),
                step(_TIME, TAU / slow, asymptotic(TAU), "which is time over the kernel"),
            ]
            return Derivation(
                tuple(steps), lazy.conditions, free_box(model.box, a, b, model.learned.function)
            )
        amplitude = sp.Symbol("c_gamma", positive=True)
        steps += [
            step(
                _S,
                pieces(grown),
                asymptotic(TAU),
                "the kernel grows as a power of warped time, or saturates",
            ),
            step(
                _TIME,
                integral(1 / pieces(grown), TAU, TAU),
                DEFINITION,
                "time that has passed: dt = dtau/s",
            ),
            step(_TIME, pieces(elapsed), EQUAL, "a power of warped time"),
            step(
                TAU,
                pieces(warped),
                solves(sp.Eq(_TIME, T, evaluate=False)),
                "warped time at time t",
            ),
            step(
                amplitude,
                pieces([(CONSTANT * value.subs(T, 1) ** -x, where) for value, where in warped]),
                DEFINITION,
                "the constant in front",
            ),
            step(
                LOSS,
                amplitude
                * T
                ** -pieces(
                    [(entry.exponent, entry.condition) for entry in found if entry.log_power == 0]
                ),
                EQUAL,
                "the loss",
            ),
        ]
        return Derivation(
            tuple(steps), lazy.conditions, free_box(model.box, a, b, model.learned.function)
        )

    return Derived(tuple(found), (*lazy.conditions, *norm.conditions), build, piecewise=True)


def _split(x: sp.Expr) -> tuple[sp.Basic, sp.Basic, sp.Basic]:
    """Say where a task is hard, where easy, and where on the boundary."""
    return against_zero(1 - x, sp.Gt), against_zero(x - 1, sp.Gt), against_zero(x - 1, sp.Eq)


def _kernel_of(norm: sp.Expr, kernel: sp.Symbol = _S, where: sp.Basic = sp.true) -> list[Step]:
    equation = sp.Eq(kernel * (kernel - 1), GAMMA * norm, evaluate=False)
    return [
        step(
            kernel,
            (1 + sp.sqrt(1 + 4 * GAMMA * norm)) / 2,
            solves(equation),
            "the layers stay balanced: the kernel is one plus gamma times the squared readout",
            BORDELON_2024_FEATURES,
            where,
        )
    ]


# -- constants ----------------------------------------------------------------------------------------------------------


def _moderate(name: str, value: Any) -> sp.Expr:
    """Return an exponent as an expression; refuse numbers so large that Gamma functions of them cannot be written down."""
    found = as_expression(name, value)
    if found.is_number and abs(found) > _LARGEST:
        raise refusal(name, value, f"must be at most {_LARGEST} in size")
    return found


def learned_fraction(nu: sp.Expr, z: sp.Expr) -> sp.Expr:
    r"""Return the learned fraction :math:`\Phi(z) = \frac{z}{1 - \nu}\,{}_1F_1(1; 2 - \nu; -z)` where s grows as :math:`\tau^{2\nu}`."""
    nu, z = _moderate("nu", nu), as_expression("z", z)
    return z / (1 - nu) * sp.hyper([1], [2 - nu], -z)


def moments(x: sp.Expr, nu: sp.Expr | None = None) -> tuple[sp.Expr, sp.Expr]:
    r"""Return the two integrals that fix the loss of hard tasks, in closed form.

    .. math:: I_1 = \int_0^\infty z^{x-2}\,\Phi^2\,dz, \qquad I_2 = \int_0^\infty z^{x-1}(1 - \Phi)^2\,dz

    Parameters
    ----------
    x : Expr
        Exponent of the lazy model, between 0 and 1.
    nu : Expr, optional
        The kernel grows as :math:`\tau^{2\nu}`; by default :math:`\nu = (1-x)/4`, as it does with two layers.

    Returns
    -------
    tuple of Expr
        With hypergeometric functions at -1; ``sympy.N`` evaluates them to any number of digits.

    Notes
    -----
    The equation :math:`z\Phi' = z(1 - \Phi) + \nu\Phi`, multiplied by :math:`z^{x-2}\Phi` and integrated, ties :math:`I_2` to
    :math:`I_1`, which is `overlap`.

    Examples
    --------
    >>> [sp.N(value, 12) for value in moments(sp.Rational(1, 2))]
    [2.31599696366, 1.15464127798]
    """
    x = _moderate("x", x)
    nu = (1 - x) / 4 if nu is None else _moderate("nu", nu)
    sine = sp.pi / sp.sin(sp.pi * x)
    first = overlap(x, nu, nu)
    return first, sine * sp.gamma(1 - nu) / sp.gamma(1 - nu - x) - ((1 - x) / 2 - nu) * first


def overlap(x: sp.Expr, nu: sp.Expr, mu: sp.Expr) -> sp.Expr:
    r"""Return :math:`\int_0^\infty z^{x-2}\,\Phi_\nu \Phi_\mu\,dz` in closed form.

    Parameters
    ----------
    x : Expr
        Between 0 and 1.
    nu, mu : Expr
        Of the two learned fractions, see `learned_fraction`.

    Returns
    -------
    Expr
        With hypergeometric functions at -1.

    Notes
    -----
    The Mellin transform of :math:`\Phi` is :math:`\Gamma(1-\nu)\Gamma(1+p)\Gamma(-p)/\Gamma(1-\nu-p)`. By Parseval, the integral is
    a Mellin-Barnes integral with two series of poles, each of which sums to a hypergeometric function.

    Examples
    --------
    >>> sp.N(overlap(sp.S.Half, sp.Rational(1, 8), sp.Rational(3, 8)), 12)
    2.67855872379
    """
    x, nu, mu = _moderate("x", x), _moderate("nu", nu), _moderate("mu", mu)
    sine = sp.pi / sp.sin(sp.pi * x)
    one = sp.hyper([1, nu], [2 - mu - x], -1) / (sp.gamma(1 - nu) * sp.gamma(2 - mu - x))
    two = sp.hyper([1, nu + x], [2 - mu], -1) / (sp.gamma(1 - nu - x) * sp.gamma(2 - mu))
    return sine * sp.gamma(1 - nu) * sp.gamma(1 - mu) * (one - two)


def warp_constants(beta: Any, *, digits: int = 15) -> tuple[Any, Any]:
    r"""Evaluate the two integrals that fix the loss of hard tasks.

    Parameters
    ----------
    beta : number
        Source exponent, 0 < beta < 1; a float is read as the decimal it prints as.
    digits : int
        Significant digits, at most 1000.

    Returns
    -------
    tuple of mpmath.mpf
        :math:`I_1` and :math:`I_2`, see `moments`.

    Raises
    ------
    DomainError
        If beta is not between 0 and 1, or digits is not a positive integer.

    Examples
    --------
    >>> [mpmath.nstr(value, 9) for value in warp_constants(0.25)]
    ['1.93511104', '2.86826884']
    """
    from ..parameters import to_exact

    exact = to_exact(beta, "beta")
    if not (0 < exact < 1):
        raise refusal(
            "beta", beta, "must lie between 0 and 1: only hard tasks have a kernel that grows"
        )
    digits = digit_count("digits", digits)
    with mpmath.workdps(digits):
        one, two = (mpmath.mpf(sp.N(value, digits)._mpf_) for value in moments(exact))
    return one, two


def derive_prefactor(model: WarpLimited) -> Derived:
    r"""Derive the loss of a two-layer network at long times, constant included.

    Parameters
    ----------
    model : WarpLimited
        Any spectrum and signal; the learned fraction is that of gradient flow, derived here.

    Returns
    -------
    Derived
        Regimes of ``L(t)`` for any :math:`\gamma > 0`.

    Notes
    -----
    Where h = s^(-1/2) falls as :math:`\tau^{-\nu}`, a mode obeys :math:`q' = \lambda(h - q)` and is learned by
    :math:`q = h\,\Phi(\lambda\tau)`; that the squared weights then grow as assumed fixes :math:`\nu = (1 - \beta)/4`.
    """
    instance("model", model, WarpLimited)
    a, b = model.signal_exponent, model.spectrum_exponent
    x = sp.cancel((a - 1) / b)
    conditions = derive_time(TimeLimited(b, a, EXP, model.box)).conditions
    hard, easy, line = _split(x)
    one, two = moments(x)
    rate = sp.sqrt(GAMMA * one / b)
    regimes = []
    if hard != sp.false:
        exponent = sp.factor(2 * x / (1 + x))
        constant = two / b * (rate * (1 + x) / 2) ** -exponent
        shrink = sp.factor((1 - x) / (1 + x))
        # s(s - 1) = gamma B: the kernel exceeds its leading power by 1/2
        correction = (1 / (2 * rate * (rate * (1 + x) / 2) ** shrink), shrink)
        regimes.append(Regime("hard", hard, exponent, constant, 0, correction))
    if easy != sp.false:
        norm = sp.zeta(sp.expand(a - b))
        bounded = (1 + sp.sqrt(1 + 4 * GAMMA * norm)) / 2
        missing = (
            GAMMA
            * (2 - 2 ** (1 - x))
            * sp.gamma(x - 1)
            / (b * bounded * (2 * bounded - 1))
            * bounded ** (1 - x)
        )
        regimes.append(
            Regime("easy", easy, x, sp.gamma(x) / b * (2 * bounded) ** -x, 0, (x * missing, x - 1))
        )
    if line != sp.false:
        regimes.append(
            Regime(BOUNDARY, line, sp.S.One, sp.sqrt(b / GAMMA) / (2 * b), -sp.Rational(1, 2))
        )

    def build() -> Derivation:
        steps: list[Step] = []
        if hard != sp.false:
            steps += _hard_steps(a, b, x, hard)
        if easy != sp.false:
            steps += _easy_steps(a, b, x, easy)
        box = free_box(model.box, a, b)
        if hard != sp.false:
            box[POINT] = (sp.Rational(1, 2), sp.Integer(8))
        return Derivation(tuple(steps), conditions, box)

    if line == sp.true:  # the leading power of the kernel is a logarithm, and no moment is needed
        return Derived(
            tuple(regimes), conditions, lambda: derive_network(model).derivation, piecewise=True
        )
    return Derived(tuple(regimes), conditions, build, piecewise=True)


def _hard_steps(a: sp.Expr, b: sp.Expr, x: sp.Expr, where: sp.Basic) -> list[Step]:
    """Write the steps for a kernel that grows without bound."""
    weights = sp.expand(a - b)
    closed = moments(x)
    learned = learned_fraction(_NU, TAU * INDEX**-b)
    shown = learned_fraction(_NU, POINT)
    kernel, front = _RATE * TAU ** ((1 - x) / 2), sp.Symbol("c_t", positive=True)
    history = sp.exp(-POINT * _W / (1 + _W)) * (1 + _W) ** (_NU - 2)

    def total(power: sp.Expr, shape: sp.Expr) -> sp.Expr:
        return sp.Sum(INDEX**-power * shape, (INDEX, 1, sp.oo))

    rows: list[tuple[sp.Symbol, sp.Expr, Relation, str]] = [
        (
            _NU,
            (1 - x) / 4,
            solves(sp.Eq(4 * _NU, 1 - x, evaluate=False)),
            "if s grows as tau^(2 nu), s^2 must grow as the weights learned",
        ),
        (
            _PHI,
            POINT * sp.Integral(history, (_W, 0, sp.oo)),
            DEFINITION,
            "q' = lambda (h - q) with h = tau^-nu, at lambda tau = z",
        ),
        (_PHI, shown, EQUAL, "a confluent hypergeometric function"),
        (
            _I1,
            sp.Integral(POINT ** (x - 2) * shown**2, (POINT, 0, sp.oo)),
            DEFINITION,
            "first moment of the learned fraction",
        ),
        (_I1, closed[0], EQUAL, "its Mellin-Barnes integral, summed over two series of poles"),
        (
            _I2,
            sp.Integral(POINT ** (x - 1) * (1 - shown) ** 2, (POINT, 0, sp.oo)),
            DEFINITION,
            "second moment: what is left",
        ),
        (_I2, closed[1], EQUAL, "tied to the first by the mode's equation"),
        (_B, total(weights, learned**2), DEFINITION, "squared weights learned so far"),
        (_B, _I1 / b * TAU ** (1 - x), asymptotic(TAU), "an integral over modes"),
    ]
    last: list[tuple[sp.Symbol, sp.Expr, Relation, str]] = [
        (_RATE, sp.sqrt(GAMMA * _I1 / b), DEFINITION, "the rate at which the kernel grows"),
        (_S, kernel, asymptotic(TAU), "the kernel grows without bound"),
        (
            _TIME,
            integral(_RATE / kernel, TAU, TAU) / _RATE,
            DEFINITION,
            "time that has passed: dt = dtau/s",
        ),
        (_TIME, 2 * TAU ** ((1 + x) / 2) / (_RATE * (1 + x)), EQUAL, "a power of warped time"),
        (LOSS, total(a, (1 - learned) ** 2), DEFINITION, "the loss"),
        (LOSS, _I2 / b * TAU**-x, asymptotic(TAU), "an integral over modes"),
        (
            TAU,
            (_RATE * (1 + x) * T / 2) ** (2 / (1 + x)),
            solves(sp.Eq(_TIME, T, evaluate=False)),
            "warped time at time t",
        ),
        (
            front,
            _I2 / b * (_RATE * (1 + x) / 2) ** (-2 * x / (1 + x)),
            DEFINITION,
            "the constant in front",
        ),
        (LOSS, front * T ** (-2 * x / (1 + x)), EQUAL, "the loss at time t"),
    ]
    made = [
        step(name, value, how, why, BORDELON_2024_FEATURES if name in (_PHI, _B) else None, where)
        for name, value, how, why in rows
    ]
    return [
        *made,
        *_kernel_of(_B, where=where),
        *(step(name, value, how, why, None, where) for name, value, how, why in last),
    ]


def _easy_steps(a: sp.Expr, b: sp.Expr, x: sp.Expr, where: sp.Basic) -> list[Step]:
    """Write the steps for a kernel that saturates."""
    norm, kernel, warped, loss, front = sp.symbols(
        "B_oo s_oo tau_easy L_easy c_easy", positive=True
    )
    weights = sp.expand(a - b)
    decay = sp.Sum(INDEX**-a * sp.exp(-2 * warped * INDEX**-b), (INDEX, 1, sp.oo))
    rows: list[tuple[sp.Symbol, sp.Expr, Relation, str]] = [
        (loss, decay, DEFINITION, "the loss: a kernel that has saturated is a lazy one"),
        (
            loss,
            sp.gamma(x) / b * (2 * warped) ** -x,
            asymptotic(warped),
            "leading Mellin residue of what is left",
        ),
        (warped, kernel * T, DEFINITION, "warped time"),
        (front, sp.gamma(x) / b * (2 * kernel) ** -x, DEFINITION, "the constant in front"),
        (loss, front * T**-x, EQUAL, "the loss at time t"),
    ]
    return [
        step(
            norm,
            sp.Sum(INDEX**-weights, (INDEX, 1, sp.oo)),
            DEFINITION,
            "all squared weights: a finite number",
            None,
            where,
        ),
        step(norm, sp.zeta(weights), EQUAL, "Riemann's zeta function", None, where),
        *_kernel_of(norm, kernel, where),
        *(step(name, value, how, why, None, where) for name, value, how, why in rows),
    ]
