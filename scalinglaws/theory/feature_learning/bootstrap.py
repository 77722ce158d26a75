r"""The exponent of a growing kernel as the limit of better and better guesses.

Insert the lazy exponent into the growth of the kernel, solve for the loss, insert that exponent, and so on:
:math:`\chi_{n+1} = \chi_0\,[1 + m(1 - \chi_n)]`. Each level is a guess that one can measure at times where the next has not yet set in.
"""

from __future__ import annotations

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ..derivation import DEFINITION, EQUAL, Derivation, solves, step
from ..fixed_points import fixed_point
from ..linear import derive_time
from ..parameters import as_expression
from ..records import Derived, Regime
from ..references import BORDELON_2024_FEATURES
from ..relations import against_zero
from .exponents import CHI, LAZY, LEVEL, FeedbackLimited, _box, _power, lazy_steps


def derive_bootstrap(model: FeedbackLimited) -> Derived:
    r"""Derive the exponent that n insertions of the kernel's growth give.

    Parameters
    ----------
    model : FeedbackLimited
        Any spectrum, signal, residual and power of the feedback; its lazy loss must have one regime.

    Returns
    -------
    Derived
        Exponent at level n. The levels converge where :math:`m\chi_0 < 1`, which the conditions say.

    Raises
    ------
    DomainError
        If the lazy loss has several regimes, or the levels converge for no parameters.

    Examples
    --------
    >>> n = LEVEL
    >>> found = derive_bootstrap(FeedbackLimited(spectrum_exponent=2, signal_exponent=2))
    >>> [found.expr.subs(n, level) for level in (1, 2, 3)], float(found.expr.subs(n, 60))
    ([3/4, 5/8, 11/16], 0.6666666666666666)
    """
    instance("model", model, FeedbackLimited)
    m, lazy = _power(model), derive_time(model.lazy)
    if len(lazy.regimes) > 1 or lazy.regimes[0].log_power:
        raise refusal(
            "model",
            model,
            "the lazy loss must be a single power law: give numbers for its exponents",
            named=False,
        )
    x = lazy.regimes[0].exponent
    if m == 0:
        raise refusal(
            "power",
            model.power,
            "power = 0: the kernel does not grow, and nothing is to be inserted",
            named=False,
        )
    solved, limit = levels(m)
    condition = against_zero(1 - m * x, sp.Gt)
    if condition == sp.false:
        raise refusal(
            "model", model, f"the levels do not converge: {m * x} < 1 is violated", named=False
        )
    integer = sp.Eq(LEVEL, sp.floor(LEVEL))

    def build() -> Derivation:
        following = sp.symbols("chi_1:4", positive=True)
        level, end, rate = sp.symbols("chi_n chi_oo rho", positive=True)
        steps = [
            *lazy_steps(lazy),
            step(level, solved, DEFINITION, "solution of the recursion, level n"),
        ]
        before = LAZY
        for number, name in enumerate(following, start=1):
            steps += [
                step(
                    name,
                    LAZY * (1 + m * (1 - before)),
                    DEFINITION,
                    "the previous exponent inserted once more",
                    BORDELON_2024_FEATURES,
                ),
                step(name, solved.subs(LEVEL, number), EQUAL, f"level {number} of the solution"),
            ]
            before = name
        after = sp.Symbol("chi_next", positive=True)
        steps += [
            step(after, solved.subs(LEVEL, LEVEL + 1), DEFINITION, "the level after that"),
            step(
                after, LAZY * (1 + m * (1 - level)), EQUAL, "it obeys the recursion at every level"
            ),
            step(
                end,
                limit,
                solves(sp.Eq(end, LAZY * (1 + m * (1 - end)), evaluate=False)),
                "what reproduces itself",
            ),
            step(
                rate,
                (following[1] - end) / (following[0] - end),
                DEFINITION,
                "by how much a level is closer than the one before",
            ),
            step(
                rate,
                -m * LAZY,
                EQUAL,
                f"so that the levels converge, from both sides, where {m * LAZY} < 1",
            ),
        ]
        return Derivation(
            tuple(steps),
            (*lazy.conditions, condition) if condition != sp.true else lazy.conditions,
            _box(model),
        )

    conditions = (*lazy.conditions, *(part for part in (condition,) if part != sp.true), integer)
    regime = Regime("converging", sp.true, solved.subs(LAZY, x), None)
    return Derived((regime,), conditions, build)


def levels(m: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Solve the recursion for the exponent at level n, and for its limit.

    Parameters
    ----------
    m : Expr
        Power of the feedback.

    Returns
    -------
    tuple of Expr
        In the lazy exponent, which is level 0.

    Examples
    --------
    >>> levels(sp.Integer(1))[1]
    2*chi_0/(chi_0 + 1)
    """
    m = as_expression("m", m)
    n = sp.Symbol("n", integer=True, nonnegative=True)
    guess = sp.Function("guess")
    limit = fixed_point(LAZY * (1 + m * (1 - CHI)), CHI).branches[0].solution
    solved = sp.rsolve(guess(n + 1) - LAZY * (1 + m * (1 - guess(n))), guess(n), {guess(0): LAZY})
    # written as limit plus what shrinks by one factor per level
    ratio = -m * LAZY
    shrinking = sp.factor((solved.subs(n, 1) - solved.subs(n, 0)) / (ratio - 1))
    return sp.factor(solved.subs(n, 0) - shrinking) + shrinking * ratio**LEVEL, sp.factor(limit)
