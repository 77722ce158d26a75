"""Distances along a cluster: shorter than those of its sites in space would let one think, and other exponents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, solves, step
from ..records import Derived, Form, Regime
from ..references import BRILL_2024, ZHOU_2012
from ..symbols import free_box
from .allocation import SIZE
from .components import FRACTAL

PATH = sp.Symbol("d_min", positive=True)
BOX = {FRACTAL: (sp.Rational(3, 2), 4), PATH: (sp.S.One, 2)}
_R, _F, _BOXES, _EXTENT, _STEPS = sp.symbols("r f N_r ell t", positive=True)


@short_repr
@dataclass(frozen=True)
class PathLimited:
    r"""A critical cluster, and a target that walks at random along its paths.

    Attributes
    ----------
    dimension : Expr or number
        D, the fractal dimension of the cluster.
    path : Expr or number
        :math:`d_{min}`: sites at the distance r in space are :math:`r^{d_{min}}` steps apart along the cluster.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    dimension: Any = FRACTAL
    path: Any = PATH
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)


def derive_path(model: PathLimited) -> Derived:
    r"""Derive how fast a random walk along the paths of a critical cluster is learned from its nearest training sites.

    Parameters
    ----------
    model : PathLimited
        Any dimensions.

    Returns
    -------
    Derived
        Exponent :math:`d_{min}/D` of the mean squared error, whose mean is the number of steps to the nearest training site. Form
        ``lipschitz_exponent``, :math:`2 d_{min}/D`, for a target whose change is bounded by a multiple of that number.

    Raises
    ------
    DomainError
        If a dimension is not positive.

    Examples
    --------
    >>> derive_path(PathLimited(dimension=4, path=2)).expr
    1/2
    """
    instance("model", model, PathLimited)
    D, path = sp.sympify(model.dimension), sp.sympify(model.path)
    for name, value in (("dimension", D), ("path", path)):
        if not value.is_positive:
            raise refusal(name, value, "must be positive: declare its symbols with positive=True")
    exponent = sp.cancel(path / D)
    steps = [
        step(_BOXES, (_EXTENT / _R) ** D, DEFINITION, "cells of size r in a cluster of extent ell"),
        step(
            _R,
            _EXTENT * SIZE ** (-1 / D),
            solves(sp.Eq(_BOXES, SIZE, evaluate=False)),
            "how far the nearest of n training sites is in space",
        ),
        step(_STEPS, _R**path, DEFINITION, "how many steps along the cluster that is", ZHOU_2012),
        step(
            _F,
            _STEPS / _EXTENT**path,
            DEFINITION,
            "error of its value: a walk's variance is the number of its steps; in units of that at n = 1",
            BRILL_2024,
        ),
        step(_F, SIZE**-exponent, EQUAL, "a power law"),
    ]
    forms = {
        "lipschitz_exponent": Form(
            2 * exponent, "exponent for a target that is Lipschitz in the number of steps"
        )
    }
    derivation = Derivation(tuple(steps), (), free_box(model.box, D, path))
    return Derived(
        (Regime("smoothness-limited", sp.true, exponent, sp.S.One),), (), derivation, forms=forms
    )
