"""The best ridge of the lazy linear model with noise: bias against variance.

Features are assumed to be Gaussian, or to act as if they were; see the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..asymptotics import RATIONAL, MellinCombination, MellinSymbol, X, power_sum
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, balances, step
from ..mode_counts import extensive
from ..monomials import reduced
from ..optimum import CostLimited, pieces
from ..records import Derived, Regime
from ..references import ATANASOV_2024, CAPONNETTO_2007, FLAJOLET_1995
from ..relations import strongest
from ..symbols import ALPHA, BETA, BOX, INDEX, check_task, free_box
from .bottlenecks import REGIME_NAMES

SAMPLES = sp.Symbol("X", positive=True)
_K, _B, _DF2, _L, _C, _M = sp.symbols("K B df_2 L c m", positive=True)
_VARIANCE, _LOG = sp.symbols("v log_X", positive=True)


@short_repr
@dataclass(frozen=True)
class RidgeLimited:
    r"""A noisy linear model whose ridge is chosen best, features unlimited.

    With K modes resolved, :math:`\kappa = K^{-b}`, and X samples per noise variance,

    .. math:: L(X) = \min_K \Big[\sum_k s_k\, r(\kappa/\lambda_k) + \frac1X \sum_k v(\kappa/\lambda_k)\Big],
              \qquad \lambda_k = k^{-b},\ s_k = k^{-a}

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a.
    residual, variance : MellinSymbol or MellinCombination
        r and v.
    occupation : MellinSymbol or MellinCombination
        Share of the samples that a mode takes; its sum must converge for the modes to be resolved in order.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    residual: MellinSymbol | MellinCombination = field(default_factory=lambda: RATIONAL(2, 2))
    variance: MellinSymbol | MellinCombination = field(default_factory=lambda: RATIONAL(0, 2))
    occupation: MellinSymbol | MellinCombination = field(default_factory=lambda: RATIONAL(0, 1))
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent and no shape."""
        check_task(self, "residual", "variance", "occupation")


def derive_ridge(model: RidgeLimited) -> Derived:
    """Derive how the loss at the best ridge falls with the number of samples per noise variance.

    Parameters
    ----------
    model : RidgeLimited
        Any spectrum, signal and shapes.

    Returns
    -------
    Derived
        Regimes, conditions and steps.

    Examples
    --------
    >>> derive_ridge(RidgeLimited(spectrum_exponent=2, signal_exponent=3)).expr
    2/3
    """
    instance("model", model, RidgeLimited)
    a, b = model.signal_exponent, model.spectrum_exponent
    left = power_sum(a, model.residual.compose(b))
    spread, share = extensive("variance", model.variance, b)
    occupied, _ = extensive("occupation", model.occupation, b)
    conditions = strongest(left.conditions + spread.conditions + occupied.conditions)
    box = free_box(model.box, a, b, model.residual.function, model.variance.function)
    regimes, choices, slopes = [], [], []
    for branch in left.branches():
        term = branch.candidate
        # bias c K^-m log^l K against variance v K/X, each at its own optimum; there log K is log X / (m + 1)
        slope = -term.exponent
        symbol = sp.Symbol("c_B", positive=True)
        program = CostLimited(
            {"bias": symbol * _K ** (-slope), "variance": _VARIANCE * _K / SAMPLES},
            (_K,),
            SAMPLES,
            box=box,
        )
        ((entry, _),) = program.winners
        (found,) = program.regimes()
        best = entry.leading_alloc[_K]
        assert found.constant is not None  # two terms in one scale determine both
        assert best is not None
        values = {symbol: term.coefficient / (slope + 1) ** term.log_power, _VARIANCE: share}
        others = [
            other.candidate
            for other in left.branches()
            if not other.candidate.log_power and other.candidate is not term
        ]
        correction = None
        if others and not term.log_power:
            # the bias left out, at the optimum, weighted with the share 1/(m + 1) of the bias in the loss
            ratio = (
                others[0].coefficient
                / term.coefficient
                * best ** (others[0].exponent - term.exponent)
                / (slope + 1)
            )
            fades = (term.exponent - others[0].exponent) / (slope + 1)
            correction = ((ratio * SAMPLES**fades).subs(values).subs(SAMPLES, 1), fades)
        power = reduced(term.log_power / (slope + 1)) if term.log_power else 0
        regimes.append(
            Regime(
                REGIME_NAMES[term.origin],
                branch.condition,
                found.exponent,
                found.constant.subs(values),
                power,
                correction,
            )
        )
        if not term.log_power:
            choices.append((best.subs(values), branch.condition))
            slopes.append((slope, branch.condition))

    def build() -> Derivation:
        ratio = (INDEX / _K) ** b
        steps = [
            step(
                _B,
                _sum(INDEX ** (-a) * model.residual.function.subs(X, ratio)),
                DEFINITION,
                "bias: signal left unlearned",
                ATANASOV_2024,
            ),
            step(
                _B,
                left.leading(_K),
                asymptotic(_K),
                "leading Mellin residues: unresolved tail, or the first modes",
                FLAJOLET_1995,
            ),
            step(
                _DF2,
                _sum(model.variance.function.subs(X, ratio)),
                DEFINITION,
                "how many modes fit the noise",
                ATANASOV_2024,
            ),
            step(
                _DF2,
                share * _K,
                asymptotic(_K),
                "leading Mellin residue: proportional to K",
                FLAJOLET_1995,
            ),
        ]
        if not choices:  # on a boundary the optimum has no closed form, only its leading term
            return Derivation(tuple(steps), conditions, box)
        slope_at, best_at = (pieces(found) for found in (slopes, choices))
        exponent = sp.Min(*(regime.exponent for regime in regimes if not regime.on_boundary))
        constant = pieces(
            [(regime.constant, regime.condition) for regime in regimes if not regime.on_boundary]
        )
        steps += [
            step(
                _L,
                _B + _DF2 / SAMPLES,
                DEFINITION,
                "the loss, to first order in modes per sample",
                CAPONNETTO_2007,
            ),
            step(_M, slope_at, DEFINITION, "the bias falls as K^-m"),
            step(
                _K,
                best_at,
                balances(sp.Eq(_M * _B, _DF2 / SAMPLES)),
                "stationary in K: m times the bias equals the variance",
            ),
            step(_C, constant, DEFINITION, "the constant in front"),
            step(
                _L,
                _C * SAMPLES ** (-exponent),
                EQUAL,
                "a power law (times a power of a logarithm where two exponents meet)",
            ),
        ]
        return Derivation(tuple(steps), conditions, box)

    return Derived(tuple(regimes), conditions, build)


def _sum(function: sp.Expr) -> sp.Expr:
    return sp.Sum(function, (INDEX, 1, sp.oo))
