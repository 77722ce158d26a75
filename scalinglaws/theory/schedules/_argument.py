"""The argument that all tuned schedules share: bias and noise balance, no rate does better, and the largest rate where they cannot."""

from __future__ import annotations

from typing import Any

import sympy as sp

from ..derivation import DEFINITION, EQUAL, Step, balances, step
from ..optimum import pieces
from ..records import Regime
from ..references import DUFFIN_1967, LI_2026_SCHEDULES
from ._letters import BATCH, INTRINSIC, LARGEST, LOSS, NOISE, PEAK, STEPS
from ._tradeoff import Traded

BIAS, COUNT = sp.symbols("F W", positive=True)
"""Bias at the intrinsic time X, and what the noise of all modes costs there in units of sigma^2/(B T)."""

_C, _M, _N, _ANY, _MEAN = sp.symbols("c m n X_any M", positive=True)
_AT_MOST, _HARD, _LARGEST_POWER = sp.symbols("X_hard F_hard h", real=True)


def balance_steps(easy: list[Traded], peak: sp.Expr, rates: tuple[Regime, ...] = ()) -> list[Step]:
    """Write where bias and noise balance, with the bound from below that all other rates obey."""
    where = sp.Or(*[entry.condition(sp.Gt) for entry in easy])

    def by_case(of: Any) -> sp.Expr:
        return pieces([(of(entry), entry.condition(sp.Gt)) for entry in easy])

    m, n = by_case(lambda entry: -entry.bias.exponent), by_case(lambda entry: entry.noise.exponent)
    bias, cost = (by_case(lambda e: e.bias.constant), by_case(lambda e: e.noise.constant))
    best = by_case(lambda entry: entry.time()[1] * STEPS ** entry.time()[0])
    front = by_case(lambda entry: entry.easy()[1])
    exponent = by_case(lambda entry: entry.easy()[0])
    noise = NOISE / (BATCH * STEPS) * COUNT
    shares = sp.cancel(_N / (_M + _N)), sp.cancel(_M / (_M + _N))
    mean = (bias * _ANY**-_M / shares[0]) ** shares[0] * (
        cost * _ANY**_N / STEPS / shares[1]
    ) ** shares[1]
    steps = [
        step(_M, m, DEFINITION, "bias falls as X^-m", None, where),
        step(_N, n, DEFINITION, "noise grows as X^n", None, where),
        step(BIAS, bias * INTRINSIC**-_M, EQUAL, "a power, off the lines", None, where),
        step(
            COUNT,
            cost * BATCH / NOISE * INTRINSIC**_N,
            EQUAL,
            "a power, off the lines",
            None,
            where,
        ),
        step(
            INTRINSIC,
            best,
            balances(sp.Eq(_M * BIAS, _N * noise, evaluate=False)),
            "stationary in X: m times the bias equals n times the noise",
            LI_2026_SCHEDULES,
            where,
        ),
        step(LOSS, BIAS + noise, DEFINITION, "bias and noise", None, where),
        step(_C, front, DEFINITION, "the constant in front", None, where),
        step(LOSS, _C * STEPS**-exponent, EQUAL, "the loss there", None, where),
        step(
            _MEAN,
            mean,
            DEFINITION,
            "for any X the sum is at least the geometric mean of its terms with weights n/(m + n) and m/(m + n)",
            DUFFIN_1967,
            where,
        ),
        step(
            _MEAN,
            _C * STEPS**-exponent,
            EQUAL,
            "which is the same for every X: no rate does better",
            None,
            where,
        ),
    ]
    if rates:
        falling = pieces(
            [
                (entry.constant * STEPS**-entry.exponent, entry.condition)
                for entry in rates
                if entry.name.startswith("easy") and entry.condition.atoms(sp.Eq) == set()
            ]
        )
        steps += [
            step(
                PEAK,
                peak * INTRINSIC / STEPS,
                DEFINITION,
                "the rate at its peak",
                None,
                where,
            ),
            step(PEAK, falling, EQUAL, "it falls as a power of the steps", None, where),
        ]
    return steps


def capped_steps(hard: list[Traded], peak: sp.Expr) -> list[Step]:
    """Write the largest rate, at which noise is smaller than the bias."""
    where = sp.Or(*[entry.condition(sp.Lt) for entry in hard])

    def by_case(of: Any) -> sp.Expr:
        return pieces([(of(entry), entry.condition(sp.Lt)) for entry in hard])

    constant = by_case(lambda entry: entry.hard()[1])
    exponent = by_case(lambda entry: entry.hard()[0])
    bias = by_case(lambda entry: entry.bias.constant * _AT_MOST**entry.bias.exponent)
    both = by_case(lambda entry: sp.Max(entry.bias.exponent, entry.noise.exponent - 1))
    return [
        step(
            _AT_MOST,
            LARGEST * STEPS / peak,
            DEFINITION,
            "intrinsic time at the largest rate",
            None,
            where,
        ),
        step(
            _LARGEST_POWER,
            both,
            DEFINITION,
            "the larger power of T, of bias and of noise there",
            None,
            where,
        ),
        step(
            _LARGEST_POWER,
            -exponent,
            EQUAL,
            "that of the bias, which more intrinsic time would still lower",
            None,
            where,
        ),
        step(_HARD, bias, DEFINITION, "the bias there", None, where),
        step(_HARD, constant * STEPS**-exponent, EQUAL, "a power of the steps", None, where),
    ]
