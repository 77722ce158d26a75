r"""The theorem behind the heuristic: too few samples cannot align a posterior with the target, whatever the data are."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, solves, step
from ..records import Derived, Regime
from ..references import RUBIN_2025

OUTPUT, LABEL = sp.Symbol("f", real=True), sp.Symbol("y", real=True)
_SIZE = sp.Symbol("f", positive=True)  # of the output; its sign is averaged over
VARIANCE, POWER, NOISE, COST = sp.symbols("K y2 sigma2 C", positive=True)


@short_repr
@dataclass(frozen=True)
class EvidenceLimited:
    r"""A Bayesian posterior :math:`\propto P(\theta)\, e^{-\sum_\mu \ell(f_\mu, y_\mu)}`.

    Attributes
    ----------
    loss : Expr
        :math:`\ell \ge 0`, a polynomial in the output f and the label y, of even degree in both together.
    """

    loss: sp.Expr = field(default_factory=lambda: (OUTPUT - LABEL) ** 2 / (2 * NOISE))


def derive_bound(model: EvidenceLimited) -> Derived:
    r"""Derive how many samples a posterior needs at least, from the prior probability :math:`e^{-C}` of being aligned.

    Parameters
    ----------
    model : EvidenceLimited
        Any loss that is a polynomial in the output. Beyond the square, moments are those of a Gaussian output.

    Returns
    -------
    Derived
        The bound is proportional to C: one regime with its constant.

    Raises
    ------
    DomainError
        If the loss is not a polynomial, or its mean is not positive.

    Examples
    --------
    >>> derive_bound(EvidenceLimited()).constant
    2*sigma2/(K + y2)
    """
    instance("model", model, EvidenceLimited)
    f, y = OUTPUT, LABEL
    if not model.loss.is_polynomial(f, y) or f not in model.loss.free_symbols:
        raise refusal("loss", model.loss, "must be a polynomial in f and y")
    mean = sp.S.Zero
    for (power, label), coefficient in sp.Poly(model.loss, f, y).terms():
        if power % 2:
            continue  # outputs have a symmetric prior
        if label % 2 or label > 2:
            raise refusal(
                "loss",
                model.loss,
                f": of the labels only the mean square is known; y^{label} f^{power} needs more",
            )
        mean += (
            coefficient
            * sp.factorial2(power - 1)
            * VARIANCE ** sp.Rational(power, 2)
            * POWER ** sp.Rational(label, 2)
        )
    mean = sp.factor(mean)
    if not mean.is_positive:
        raise refusal("loss", model.loss, f": its mean {mean} must be positive")
    density = 2 * sp.exp(-(_SIZE**2) / (2 * VARIANCE)) / sp.sqrt(2 * sp.pi * VARIANCE)
    # labels enter by their mean square, so that one label of that size stands for all; odd powers average out
    even = model.loss
    for name in (y, f):
        even = sp.expand((even + even.subs(name, -name)) / 2)
    even = even.subs({y: sp.sqrt(POWER), f: _SIZE})
    lbar, samples, evidence = sp.symbols("l P_LB G", positive=True)
    constant = sp.Symbol("c", positive=True)
    bound = sp.factor(1 / mean)
    steps = [
        step(
            lbar,
            sp.Integral(even * density, (_SIZE, 0, sp.oo)),
            DEFINITION,
            "mean loss of one example under the prior, where outputs have mean zero and variance K; K and y^2 are averages over the data",
        ),
        step(lbar, mean, EQUAL, "only second moments enter a squared loss"),
        step(
            evidence,
            samples * lbar,
            DEFINITION,
            "what the data can contribute at most: by Jensen's inequality -log Z <= P l, and since losses are not negative the posterior "
            "probability of alignment is at most e^-C / Z",
            RUBIN_2025,
        ),
        step(
            samples,
            COST * bound,
            solves(sp.Eq(evidence, COST, evaluate=False)),
            "with fewer samples that probability is below one",
        ),
        step(constant, bound, DEFINITION, "the constant in front"),
        step(samples, constant * COST, EQUAL, "proportional to the cost"),
    ]
    return Derived(
        (Regime("too few samples", sp.true, sp.S.One, bound),), (), Derivation(tuple(steps))
    )
