r"""Samples by which a two-layer network is aligned with a polynomial: the dictionary between a cost and samples."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from ...arguments import instance, whole
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, solves, step
from ..optimum import CostLimited, derive_optimum, optimum_steps
from ..records import Derived, Form, Regime
from ..references import RINGEL_2025, RUBIN_2025
from .symbols import CHI, DIMENSION, KAPPA, WIDTH

_J, _R, _A = sp.symbols("J r alpha", positive=True)
_SLOPE, _I, _G, _P, _START = sp.symbols("S I G P P_0", positive=True)
_SHIFT = 3  # 1 + 2 |w|^2 of a weight that is not aligned


@short_repr
@dataclass(frozen=True)
class SpecializedNeurons:
    r"""J of :math:`N = d^n` neurons with error functions specialize on a normalized Hermite polynomial of odd degree.

    A squared weight r along the target has the squared overlap :math:`K\,(r/(3 + 2r))^k`. Prior variances are one.

    Attributes
    ----------
    degree : int
        k, odd, >= 3.
    """

    degree: int = 3

    def __post_init__(self) -> None:
        """Refuse other degrees: a linear target needs no specialization."""
        object.__setattr__(self, "degree", whole("degree", self.degree, low=3, high=99))
        if self.degree % 2 == 0:
            raise refusal(
                "degree", self.degree, "must be odd: the error function has no even overlap"
            )

    @property
    def overlap(self) -> sp.Expr:
        """K, from the derivatives of the error function."""
        k = self.degree
        return 4 / sp.pi * 2 ** (k - 1) * sp.factorial2(k - 2) ** 2 / sp.factorial(k)

    @property
    def cost(self) -> CostLimited:
        r"""Prior and readout, :math:`\frac{J d r}{2} + \frac{\chi\alpha^2 N}{2 J K (r/(3+2r))^k}`, at a given weight."""
        d, k = DIMENSION, self.degree
        readout = CHI * _A**2 * d**WIDTH / (2 * _J * self.overlap) * ((_SHIFT + 2 * _R) / _R) ** k
        box = {WIDTH: (sp.Rational(11, 10), sp.Integer(2 * k - 2))}
        return CostLimited(
            {"prior": _J * d * _R / 2, "readout": readout}, (_J,), d, box=box, reference=RUBIN_2025
        )


def derive_alignment(model: SpecializedNeurons) -> Derived:
    r"""Derive the samples at which a wide two-layer network begins to be aligned with its target.

    Parameters
    ----------
    model : SpecializedNeurons
        Any odd degree from 3 on.

    Returns
    -------
    Derived
        Exponent of growth (1 + n)/2 against d, between N = d and the width from which the lazy kernel is cheaper. Forms ``samples``
        (at alignment zero; :math:`P_\alpha` is that over :math:`1 - \alpha`) and ``cost``.

    Examples
    --------
    >>> found = derive_alignment(SpecializedNeurons())
    >>> found.expr, found.constant.subs({KAPPA: 1, CHI: 1}).evalf(7)
    (n/2 + 1/2, 9.768617)
    """
    instance("model", model, SpecializedNeurons)
    d, k = DIMENSION, model.degree
    best = sp.Rational(_SHIFT * (k - 1), 2)
    at_weight = derive_optimum(model.cost)
    amplitude = sp.powsimp(sp.simplify(sp.sympify(at_weight.constant).subs(_R, best) / _A))
    exponent = (1 + WIDTH) / 2
    constant = sp.simplify(KAPPA * amplitude / CHI)
    where = (sp.Gt(WIDTH, 1), sp.Lt(WIDTH, 2 * k - 1))

    def build() -> Derivation:
        whole = amplitude * _A * d**exponent
        steps = [
            *optimum_steps(model.cost, suffix="_J"),
            step(
                _SLOPE,
                2 * k * _R / (_SHIFT + 2 * _R),
                DEFINITION,
                "growth of (3 + 2r)^k with the logarithm of the squared weight r of a neuron",
            ),
            step(
                _R,
                best,
                solves(sp.Eq(_SLOPE, k - 1, evaluate=False)),
                "the least cost over r: the squared cost depends on it as (3 + 2r)^k/r^(k-1)",
            ),
            step(_G, (_SHIFT + 2 * _R) ** k / _R ** (k - 1), DEFINITION, "that factor there"),
            step(
                _I,
                sp.sqrt(CHI * d ** (1 + WIDTH) / model.overlap * _G) * _A,
                DEFINITION,
                "least cost of the alignment alpha, with that weight and the best number J of neurons",
                RUBIN_2025,
            ),
            step(_I, whole, EQUAL, "linear in the alignment: neurons specialize in proportion"),
            step(
                _P,
                KAPPA * _I / (_A * CHI * (1 - _A)),
                DEFINITION,
                "kappa I'(alpha)/(chi (1 - alpha)): the free energy min_A [I(A) + chi P/(2 kappa) |y - A|^2] is least there",
                RINGEL_2025,
            ),
            step(
                _START,
                constant * d**exponent,
                DEFINITION,
                "the samples at which alignment begins",
            ),
            step(_P, _START / (1 - _A), EQUAL, "so that alpha = 1 - P_0/P"),
        ]
        return Derivation(tuple(steps), where, dict(model.cost.box))

    forms = {
        "samples": Form(
            constant * d**exponent, "samples at which alignment begins, large d", where
        ),
        "cost": Form(amplitude * _A * d**exponent, "cost of the alignment alpha, large d", where),
    }
    regime = Regime("many neurons specialize", sp.true, exponent, constant)
    return Derived((regime,), where, build, forms=forms)
