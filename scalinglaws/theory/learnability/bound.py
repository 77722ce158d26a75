r"""What no data can teach: fewer samples than a bound cannot align a Gaussian process with one of its modes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, step
from ..parameters import as_expression
from ..patterns import EvidenceLimited, derive_bound
from ..records import Derived, Form, Regime
from ..references import RINGEL_2025, RUBIN_2025
from ..symbols import ALPHA, as_exponent, free_box
from ._letters import BOX, COST, MODE, OTHER, TRACE
from .half import derive_half
from .mode import RidgedSpectrum

ALIGNMENT = sp.Symbol("a", positive=True)
_SAMPLES = sp.Symbol("P_LB", positive=True)
_SHIFT = sp.Symbol("x", real=True)
_GAP, _DEVIATIONS, _TAIL, _C = sp.symbols("J z T c_k", positive=True)
_V, _W = sp.symbols("v w", positive=True)


@short_repr
@dataclass(frozen=True)
class ModeBound:
    r"""A Gaussian process of eigenvalues :math:`k^{-b}`, asked to be aligned with mode k.

    Attributes
    ----------
    spectrum_exponent : Expr or number
        b > 1.
    alignment : Expr or number
        a > 0: the overlap of predictor and normalized mode.
    likelihood : EvidenceLimited
        Whose loss; a square by default.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = 1 + ALPHA
    alignment: Any = ALIGNMENT
    likelihood: EvidenceLimited = field(default_factory=EvidenceLimited)
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {**BOX, ALIGNMENT: (sp.Rational(1, 4), 2)}
    )

    def __post_init__(self) -> None:
        """Refuse what is no exponent and no alignment."""
        b = as_exponent("spectrum_exponent", self.spectrum_exponent, "the eigenvalues k^-b")
        if (b - 1).is_nonpositive:
            raise refusal("spectrum_exponent", b, "must exceed 1: the kernel has a finite trace")
        a = as_expression("alignment", self.alignment)
        if not a.is_positive:
            raise refusal("alignment", a, "must be positive")
        instance("likelihood", self.likelihood, EvidenceLimited)
        object.__setattr__(self, "spectrum_exponent", b)
        object.__setattr__(self, "alignment", a)
        free_box(self.box, b, a)


def derive_mode_bound(model: ModeBound) -> Derived:
    r"""Derive how many samples, at least, an alignment with mode k takes, whatever the data.

    Parameters
    ----------
    model : ModeBound
        Any spectrum, alignment and loss.

    Returns
    -------
    Derived
        Exponent of growth :math:`1 + \alpha` in k; constant :math:`\sigma^2 a^2/(\mathrm{Tr} K + \langle y^2\rangle)` for a squared loss.
        Forms ``bound`` (that, which no number of modes makes less than exact), ``half`` and ``ratio``: the samples that
        teach half of the mode, and how many times the bound they are.

    Examples
    --------
    >>> found = derive_mode_bound(ModeBound(2, 1))
    >>> found.expr, found.constant
    (2, sigma2/(y2 + pi**2/6))
    """
    instance("model", model, ModeBound)
    b, a = model.spectrum_exponent, model.alignment
    general = derive_bound(model.likelihood)
    trace = sp.zeta(b)
    # C >= a^2/(2 lambda) + log 2 for every mode, since a Gaussian tail is at most half its Gaussian
    assert general.constant is not None
    constant = sp.factor(general.constant * a**2 / 2).subs(TRACE, trace)
    conditions = (sp.Gt(b, 1),) if sp.Gt(b, 1) != sp.true else ()
    half = derive_half(RidgedSpectrum(b, 0, box=model.box)).forms["samples"].expr
    bound = constant * MODE**b

    def build() -> Derivation:
        normal = sp.exp(-((_DEVIATIONS + _W) ** 2) / 2) / sp.sqrt(2 * sp.pi)
        rest = sp.exp(-_DEVIATIONS * _W - _W**2 / 2) / sp.sqrt(2 * sp.pi)
        steps = [
            step(
                _GAP,
                sp.exp(_SHIFT) - 1 - _SHIFT,
                DEFINITION,
                "Jensen's inequality: with x what the losses are below their mean, the average of e^x - 1 - x over the prior is Z e^(P l) "
                "- 1",
            ),
            step(
                _GAP,
                _SHIFT**2
                * sp.Integral(_V / (1 + _V) ** 3 * sp.exp(_SHIFT / (1 + _V)), (_V, 0, sp.oo)),
                EQUAL,
                "nowhere negative, so that -log Z <= P l for every data set",
            ),
            *general.derivation.steps,
            step(
                _TAIL,
                sp.exp(_DEVIATIONS**2 / 2) * sp.Integral(normal, (_W, 0, sp.oo)),
                DEFINITION,
                "probability that the alignment exceeds z of its prior deviations, over e^(-z^2/2): the alignment of a Gaussian process is "
                "normal",
                RINGEL_2025,
            ),
            step(
                _TAIL,
                sp.Integral(rest, (_W, 0, sp.oo)),
                EQUAL,
                "completing the square: at most 1/2, so that C >= z^2/2 + log 2 for every mode",
            ),
            step(
                _DEVIATIONS,
                a * MODE ** (b / 2),
                DEFINITION,
                "of mode k the deviation is the root of the eigenvalue",
            ),
            step(
                COST,
                _DEVIATIONS**2 / 2 - sp.log(_TAIL),
                DEFINITION,
                "minus the logarithm of that probability",
                RUBIN_2025,
            ),
            step(
                COST,
                a**2 * MODE**b / 2,
                asymptotic(MODE),
                "rare modes: the exponent decides, and what is left out makes C larger",
            ),
            step(
                TRACE,
                sp.Sum(OTHER**-b, (OTHER, 1, sp.oo)),
                DEFINITION,
                "prior variance of the output: the trace of the kernel",
            ),
            step(TRACE, trace, EQUAL, "Riemann's zeta function"),
            step(_C, constant, DEFINITION, "the constant in front"),
            step(_SAMPLES, _C * MODE**b, EQUAL, "the samples below which the probability is small"),
        ]
        return Derivation(tuple(steps), conditions, {**free_box(model.box, b, a), _SHIFT: (-3, 3)})

    forms = {
        "bound": Form(bound, "samples that the alignment needs at least, for every mode"),
        "half": Form(half, "samples at which half of the mode is learned, large k"),
        "ratio": Form(half / bound, "how many times the bound that is"),
    }
    regime = Regime("too few samples", sp.true, b, constant)
    return Derived((regime,), conditions, build, forms=forms)
