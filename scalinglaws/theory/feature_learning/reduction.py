r"""Limited features are unlimited ones on another spectrum, and what they cannot reach is noise of the labels.

With :math:`S = A_0^\top A_0/N`, features :math:`S^{1/2}\psi`, :math:`u = w/\sqrt N` and :math:`X = AS^{-1/2}/\sqrt N`, a step of N features
is a step of unlimited ones. The output :math:`g = X^\top u`, the kernel :math:`H = X^\top X` and :math:`c = |u|^2` move without the
weights, whatever the batch: with :math:`e` the rate times the gradient,

.. math:: g' = g + (H + \gamma c)e + \gamma\,(g\cdot e)\,e, \quad H' = H + \gamma(ge^\top + eg^\top) + \gamma^2c\,ee^\top, \quad
          c' = c + 2g\cdot e + e\cdot He .
"""

from __future__ import annotations

import sympy as sp

from ...arguments import instance
from ..derivation import DEFINITION, EQUAL, Derivation, step
from ..linear import ModeLimited, derive_mode
from ..records import Derived
from .exponents import GAMMA

_U, _X, _Y, _E, _F = sp.symbols("u x y e f", real=True)  # a component of u, of X twice, of e twice
_STEPPED, _TURNED, _GROWN = sp.symbols("o h q", real=True)


def derive_reduction(model: ModeLimited) -> Derived:
    r"""Derive the noise of labels that a limited number of features is, for online SGD that learns features.

    Every component of the output is a sum over neurons of products of readout and feature, and so are the kernel and the squared
    readout; the steps hold for each neuron, for any two modes, and hence for the sums. :math:`X_0^\top X_0 = 1`, as for unlimited
    features.

    Parameters
    ----------
    model : ModeLimited
        What N features leave of the target.

    Returns
    -------
    Derived
        Exponent of the variance of the noise in N.

    Examples
    --------
    >>> from scalinglaws.theory.symbols import N
    >>> from scalinglaws.theory.asymptotics import RATIONAL
    >>> derive_reduction(ModeLimited(N, RATIONAL(1, 1), spectrum_exponent=2, signal_exponent=2)).expr
    1
    """
    instance("model", model, ModeLimited)
    found = derive_mode(model)

    def build() -> Derivation:
        # one neuron: readout u, features x and y of two modes; a = X e is what the gradient adds to the readout
        added = sp.Symbol("a", real=True)
        readout, first, second = _U + added, _X + GAMMA * _U * _E, _Y + GAMMA * _U * _F
        steps = (
            step(
                _STEPPED,
                first * readout,
                DEFINITION,
                "share of one neuron in the output of a mode after a step: u' = u + X e, X' = X + gamma u e^T",
            ),
            step(
                _STEPPED,
                _X * _U + _X * added + GAMMA * _U**2 * _E + GAMMA * _U * added * _E,
                EQUAL,
                "summed over neurons: g' = g + (H + gamma c) e + gamma (g.e) e, since u.Xe = g.e",
            ),
            step(
                _TURNED,
                first * second,
                DEFINITION,
                "its share in the kernel between two modes",
            ),
            step(
                _TURNED,
                _X * _Y + GAMMA * (_X * _U * _F + _Y * _U * _E) + GAMMA**2 * _U**2 * _E * _F,
                EQUAL,
                "summed over neurons: H' = H + gamma (g e^T + e g^T) + gamma^2 c e e^T",
            ),
            step(_GROWN, readout**2, DEFINITION, "its share in the squared readout"),
            step(
                _GROWN,
                _U**2 + 2 * _U * added + added**2,
                EQUAL,
                "summed over neurons: c' = c + 2 g.e + e.He; weights enter nowhere else, so that N features are unlimited ones of "
                "covariance S^(1/2) Lambda S^(1/2), and the part of the target that is independent of them is noise",
            ),
            *found.derivation.steps,
        )
        return Derivation(steps, found.derivation.conditions, found.derivation.box)

    return Derived(found.regimes, found.conditions, build)
