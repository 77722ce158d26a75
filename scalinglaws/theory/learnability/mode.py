r"""How what is left of a mode falls with the number of samples: the effective ridge, fixed or falling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import mpmath
import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import RATIONAL, MellinCombination, MellinSymbol, X
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, step
from ..implicit import ImplicitConstant
from ..mellin import as_shape
from ..mode_counts import extensive
from ..parameters import as_expression
from ..records import Derived, Form, Regime
from ..references import ATANASOV_2024, FLAJOLET_1995
from ..symbols import ALPHA, P, as_exponent, free_box
from ._letters import BOX, DF, FADING, KAPPA, MODE, OTHER, STRENGTH

_K, _RHS, _D, _C = sp.symbols("K T D c", positive=True)


class Crossover(sp.Function):  # type: ignore[misc]
    r"""The positive root x of :math:`x = s + c\,x^q`, with 0 < q < 1: where two contributions to one ridge are of one size.

    Examples
    --------
    >>> Crossover(1, 2, sp.S.Half).evalf(10)
    5.828427125
    """

    nargs = 3

    def _eval_is_positive(self) -> bool:
        return True

    def _eval_evalf(self, prec: int) -> sp.Expr | None:
        s, c, q = self.args
        if self.free_symbols:
            return None
        x = sp.Dummy("x")
        digits = int(mpmath.libmp.prec_to_dps(prec)) + 5
        ends = [sp.Max(factor * s, (factor * c) ** (1 / (1 - q))) for factor in (1, 2)]
        low, high = (sp.N(end, digits + 10) for end in ends)
        # the larger of the two is the root itself where the other contribution is lost in rounding
        bracket = (low * sp.Rational(999, 1000), high * sp.Rational(1001, 1000))
        found = ImplicitConstant(sp.N(x - s - c * x**q, digits + 40), x, bracket).evaluate(digits)
        return sp.Float(found, digits)


@short_repr
@dataclass(frozen=True)
class RidgedSpectrum:
    r"""Kernel regression on a power-law spectrum with a ridge :math:`\sigma^2 = s P^{-\rho}` on :math:`K(D, D)`.

    .. math:: \kappa = \sigma^2 + \frac\kappa P \sum_j o\Big(\frac{\kappa}{P\lambda_j}\Big), \qquad \lambda_j = j^{-b}

    Attributes
    ----------
    spectrum_exponent : Expr or number
        b > 1.
    fading : Expr or number
        :math:`\rho \ge 0`; against the number of samples, or for `derive_half` against that of the mode.
    strength : Expr or number
        s > 0.
    learnability : Expr or number
        What share of a mode `derive_half` asks for, between 0 and 1.
    occupation : MellinSymbol or MellinCombination
        Learned share o of a mode, :math:`1/(1 + x)` for Gaussian features; its sum over modes must grow as their number.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = 1 + ALPHA
    fading: Any = FADING
    strength: Any = STRENGTH
    learnability: Any = sp.S.Half
    occupation: MellinSymbol | MellinCombination = field(default_factory=lambda: RATIONAL(0, 1))
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent, no share and no shape."""
        b = as_exponent("spectrum_exponent", self.spectrum_exponent, "the eigenvalues j^-b")
        if (b - 1).is_nonpositive:
            raise refusal("spectrum_exponent", b, "must exceed 1: the kernel has a finite trace")
        rho = as_expression("fading", self.fading)
        if rho.is_nonnegative is not True:
            raise refusal("fading", rho, "must be a number >= 0, or a positive symbol")
        size = as_expression("strength", self.strength)
        if not size.is_positive:
            raise refusal("strength", size, "must be positive")
        share = as_expression("learnability", self.learnability)
        if not share.is_positive or not (1 - share).is_positive:
            raise refusal("learnability", share, "must lie between 0 and 1")
        as_shape("occupation", self.occupation)
        for name, value in (
            ("spectrum_exponent", b),
            ("fading", rho),
            ("strength", size),
            ("learnability", share),
        ):
            object.__setattr__(self, name, value)
        free_box(self.box, b, rho)

    @property
    def eigenvalue(self) -> sp.Expr:
        """That of mode k."""
        return MODE**-self.spectrum_exponent

    @property
    def share(self) -> sp.Expr:
        """Learned modes for each number K of which P times the eigenvalue is the effective ridge, for large K."""
        b = self.spectrum_exponent
        power = b if b.is_number else sp.Dummy("b", positive=True)
        _, found = extensive("occupation", self.occupation, power)
        return sp.gammasimp(found).subs(power, b)  # reflected while the exponent is one symbol

    @property
    def ridge(self) -> sp.Expr:
        """The ridge at P samples, for a formula, in which its exponent may be zero."""
        fading = self.fading.subs(FADING, sp.Symbol(FADING.name, nonnegative=True))
        return self.strength * P**-fading

    @property
    def conditions(self) -> tuple[sp.Basic, ...]:
        """What its symbols must satisfy, beyond their signs."""
        b, rho = self.spectrum_exponent, self.fading
        more = (sp.Gt(b, 1),) if sp.Gt(b, 1) != sp.true else ()
        return (*more, *((sp.Ge(rho, 0, evaluate=False),) if rho.is_Symbol else ()))

    @property
    def parameters(self) -> dict[sp.Symbol, tuple[Any, Any]]:
        """Its symbols, and the ranges in which derivations are checked."""
        return free_box(self.box, self.spectrum_exponent, self.fading, self.occupation.function)

    def _where(self, *found: Any) -> list[tuple[Any, sp.Basic]]:
        """Choose between three things: where the ridge matters, where it does not, and where the two meet."""
        excess, rho = self.spectrum_exponent - 1, self.fading
        regions = (sp.Lt(rho, excess), sp.Gt(rho, excess), sp.Eq(rho, excess))
        return [
            (value, region)
            for value, region in zip(found, regions, strict=True)
            if region != sp.false
        ]

    def piecewise(self, ridge: sp.Expr, ridgeless: sp.Expr, crossover: sp.Expr) -> sp.Expr:
        """Choose between three expressions: where the ridge matters, where it does not, and where the two meet."""
        given = {"ridge": ridge, "ridgeless": ridgeless, "crossover": crossover}
        chosen = self._where(*(as_expression(name, value) for name, value in given.items()))
        return chosen[0][0] if len(chosen) == 1 else sp.Piecewise(*chosen)

    def regimes(self, ridge: Regime, ridgeless: Regime, crossover: Regime) -> tuple[Regime, ...]:
        """Choose between three regimes, and say where each holds."""
        given = {"ridge": ridge, "ridgeless": ridgeless, "crossover": crossover}
        for name, value in given.items():
            instance(name, value, Regime)
        return tuple(
            replace(regime, name=name, condition=region)
            for (name, regime), region in self._where(*given.items())
        )


def counted(model: RidgedSpectrum, scale: sp.Symbol) -> tuple[sp.Expr, list[Step]]:
    """Count the modes that are learned up to a scale; return how many for each up to it, and the steps."""
    b, share = model.spectrum_exponent, model.share
    learned = model.occupation.function.subs(X, (OTHER / scale) ** b)
    steps = [
        step(
            DF,
            sp.Sum(learned, (OTHER, 1, sp.oo)),
            DEFINITION,
            f"modes that are learned, each by its share, where the eigenvalue of number {scale} is kappa/P",
            ATANASOV_2024,
        ),
        step(
            DF,
            share * scale,
            asymptotic(scale),
            "leading Mellin residue: proportional to their number",
            FLAJOLET_1995,
        ),
    ]
    return share, steps


def derive_learnability(model: RidgedSpectrum) -> Derived:
    r"""Derive how what is not learned of a mode falls with the number of samples.

    Parameters
    ----------
    model : RidgedSpectrum
        Any spectrum, any ridge.

    Returns
    -------
    Derived
        Exponent :math:`1 + \min(\rho, \alpha)` of :math:`1 - \mathcal L_k` with its constants. Forms ``kappa_ridgeless`` (the effective
        ridge that the kernel's own modes make, :math:`c^{1+\alpha} P^{-\alpha}`), ``ridge`` and ``samples`` (where the two are one).

    Examples
    --------
    >>> found = derive_learnability(RidgedSpectrum(2, 0))
    >>> found.expr, found.constant
    (1, k**2*s)
    """
    instance("model", model, RidgedSpectrum)
    b, rho, s = model.spectrum_exponent, model.fading, model.strength
    alpha = b - 1
    c, counting = counted(model, _K)
    own = c**b
    both = Crossover(s, c, alpha / b)
    exponents = (1 + rho, b, b)
    kappas = (s * P**-rho, own * P**-alpha, both * P**-alpha)
    constants = tuple(MODE**b * size for size in (s, own, both))
    # what the leading term of kappa leaves out, relative to it; at the crossover it is all there
    corrections = (
        (c * s ** (-1 / b), (alpha - rho) / b),
        (b * s / own, rho - alpha),
        (sp.S.Zero, sp.S.One),
    )
    regimes = model.regimes(
        *(
            Regime("", sp.true, exponent, constant, 0, correction)
            for exponent, constant, correction in zip(
                exponents, constants, corrections, strict=True
            )
        )
    )

    def build() -> Derivation:
        left = model.piecewise(*(size * MODE**b / P for size in kappas))
        steps = [
            *counting,
            step(_K, (P / KAPPA) ** (1 / b), DEFINITION, "the mode of that eigenvalue"),
            step(
                _RHS,
                s * P**-rho + KAPPA * DF / P,
                DEFINITION,
                "the ridge, and what modes that are not learned add to it as if they were noise: kappa times the learned modes per sample",
                ATANASOV_2024,
            ),
            step(
                KAPPA,
                model.piecewise(*kappas),
                DEFINITION,
                "the effective ridge: the given one, that of the modes, or both where they fall alike",
            ),
            step(
                _RHS,
                model.piecewise(*kappas),
                asymptotic(P),
                "it solves kappa = T to leading order",
            ),
            step(
                _D,
                KAPPA / (KAPPA + P * model.eigenvalue),
                DEFINITION,
                "what is not learned of mode k",
                ATANASOV_2024,
            ),
            step(_D, left, asymptotic(P), "once the mode is learned"),
            step(_C, model.piecewise(*constants), DEFINITION, "the constant in front"),
            step(_D, _C * P ** -sp.Min(1 + rho, b), EQUAL, "a power law"),
        ]
        return Derivation(tuple(steps), model.conditions, model.parameters)

    forms = {
        "ridge": Form(model.ridge, "the ridge that is added to K(D, D)"),
        "kappa_ridgeless": Form(
            own * P**-alpha, "effective ridge that the modes make without a given one, large P"
        ),
        "crossover": Form(
            ((own / s) ** (1 / (alpha - rho))).subs(
                FADING, sp.Symbol(FADING.name, nonnegative=True)
            ),
            "samples at which these two are equal, where the ridge falls slower than P^-alpha",
        ),
        "share": Form(
            c, "learned modes for each number K of which P times the eigenvalue is kappa"
        ),
    }
    return Derived(regimes, model.conditions, build, forms=forms)
