r"""Single clusters: the grid that resolves one, the infinite cluster above the threshold, and the nearest training site on a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, solves, step
from ..records import Derived, Form, Regime
from ..references import BRILL_2024, FISHER_1961, SHARMA_2022
from .allocation import SIZE

ORDER, DIMENSION, FRACTAL = sp.symbols("c d D", positive=True)
BREAK_SIZE = sp.Symbol("n_xi", positive=True)
_R, _F, _C, _EXTENT, _XI, _BOXES, _L = sp.symbols("r f A ell xi N_r L", positive=True)
U = sp.Symbol("u", positive=True)
BOX = {ORDER: (1, 4), DIMENSION: (2, 6), FRACTAL: (sp.Rational(3, 2), 4)}


@short_repr
@dataclass(frozen=True)
class GridLimited:
    r"""A set resolved by n cells, and a function on it whose error grows with the distance to the power c.

    Attributes
    ----------
    dimension : Expr or number
        Of the set: the number of cells of size r in it is :math:`r^{-d}`.
    order : Expr or number
        c: 2 for the square of a piecewise constant approximation, 4 for a piecewise linear one.
    crossover : Expr, number or None
        Dimension below the correlation length, if it differs there: that of the incipient cluster.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    dimension: Any = DIMENSION
    order: Any = ORDER
    crossover: Any = None
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)


def derive_grid(model: GridLimited) -> Derived:
    r"""Derive how fast a single component is learned.

    Parameters
    ----------
    model : GridLimited
        Any dimensions and order.

    Returns
    -------
    Derived
        :math:`n^{-c/d}`; with a crossover :math:`n_\xi^{-c/d}(n/n_\xi)^{-c/D}` for :math:`n > n_\xi`, and the form ``loss`` for both sides.

    Raises
    ------
    DomainError
        If a dimension or the order is not positive.

    Examples
    --------
    >>> derive_grid(GridLimited(dimension=3, order=2)).expr
    2/3
    """
    instance("model", model, GridLimited)
    d, c = sp.sympify(model.dimension), sp.sympify(model.order)
    for name, value in (("dimension", d), ("order", c)):
        if not value.is_positive:
            raise refusal(name, value, "must be positive: declare its symbols with positive=True")
    box = {
        name: ends
        for name, ends in model.box.items()
        if name in d.free_symbols | c.free_symbols | _free(model.crossover)
    }
    if model.crossover is None:
        steps = [
            step(
                _BOXES,
                (_EXTENT / _R) ** d,
                DEFINITION,
                "cells of size r in a set of extent ell",
                SHARMA_2022,
            ),
            step(
                _R,
                _EXTENT * SIZE ** (-1 / d),
                solves(sp.Eq(_BOXES, SIZE, evaluate=False)),
                "what n cells resolve",
            ),
            step(
                _F,
                (_R / _EXTENT) ** c,
                DEFINITION,
                "error of a piecewise approximation, in units of that at n = 1",
                SHARMA_2022,
            ),
            step(_F, SIZE ** sp.cancel(-c / d), EQUAL, "a power law"),
        ]
        return Derived(
            (Regime("smoothness-limited", sp.true, c / d, sp.S.One),),
            (),
            Derivation(tuple(steps), (), box),
        )
    D = sp.sympify(model.crossover)
    constant = BREAK_SIZE ** (c / D - c / d)
    early = SIZE ** (-c / d)
    late = BREAK_SIZE ** (-c / d) * (SIZE / BREAK_SIZE) ** (-c / D)
    steps = [
        step(
            BREAK_SIZE,
            (_EXTENT / _XI) ** d,
            DEFINITION,
            "cells of the correlation length: above it the cluster is homogeneous",
            BRILL_2024,
        ),
        step(_BOXES, BREAK_SIZE * (_XI / _R) ** D, DEFINITION, "below it the cluster is a fractal"),
        step(
            _R,
            _XI * (SIZE / BREAK_SIZE) ** (-1 / D),
            solves(sp.Eq(_BOXES, SIZE, evaluate=False)),
            "what n > n_xi cells resolve",
        ),
        step(
            _F,
            (_R / _EXTENT) ** c,
            DEFINITION,
            "error of a piecewise approximation, in units of that at n = 1",
            SHARMA_2022,
        ),
        step(_F, late, EQUAL, "continuous at n_xi, where r is the correlation length"),
        step(_C, constant, DEFINITION, "the constant in front"),
        step(_F, _C * SIZE ** (-c / D), EQUAL, "a power law with the exponent of the fractal"),
    ]
    forms = {
        "loss": Form(
            sp.Piecewise((early, SIZE < BREAK_SIZE), (late, True)),
            "loss of the infinite cluster, both sides of n_xi",
        ),
        "early_exponent": Form(
            c / d, "exponent for n < n_xi, where only the correlation length and more is resolved"
        ),
    }
    return Derived(
        (Regime("fractal", sp.true, c / D, constant),),
        (),
        Derivation(tuple(steps), (), box),
        forms=forms,
    )


def _free(value: Any) -> set[sp.Symbol]:
    return set() if value is None else sp.sympify(value).free_symbols


# -- a tree -------------------------------------------------------------------------------------------------------------


@short_repr
@dataclass(frozen=True)
class ClusterLimited:
    """A single critical cluster of fractal dimension D, learned to order c.

    Attributes
    ----------
    dimension, order : Expr or number
        D and c.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    dimension: Any = FRACTAL
    order: Any = ORDER
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)


def derive_cluster(model: ClusterLimited) -> Derived:
    r"""Derive how fast a critical cluster is learned: its exponent, and on a tree the whole curve.

    Parameters
    ----------
    model : ClusterLimited
        Any fractal dimension and order.

    Returns
    -------
    Derived
        Exponent c/D. Forms ``tree`` :math:`h(u) = \log\cosh(2\sqrt u)/(2u)` with :math:`u = n/n_0`, ``tree_slope`` :math:`-h'(u)`,
        ``tree_early``, ``tree_late`` (its limits), ``n_0``, and ``distance`` (mean number of steps to the nearest training site).

    Examples
    --------
    >>> derive_cluster(ClusterLimited(dimension=4, order=2)).expr
    1/2
    """
    instance("model", model, ClusterLimited)
    grid = derive_grid(GridLimited(model.dimension, model.order, box=model.box))
    sites, offspring, spread = sp.symbols("s v V", positive=True)
    y = 2 * sp.sqrt(U)
    forms = {
        "tree": Form(
            sp.log(sp.cosh(y)) / (2 * U),
            "mean squared error at u = n/n_0 on a tree, where c = 2 and D = 4",
        ),
        "tree_slope": Form(
            8 * sp.log(sp.cosh(y)) / y**4 - 4 * sp.tanh(y) / y**3,
            "-h'(u): the gain of one more training site",
        ),
        "tree_early": Form(1 - 2 * U / 3, "h for small u"),
        "tree_late": Form(1 / sp.sqrt(U) - sp.log(2) / (2 * U), "h for large u"),
        "n_0": Form(
            2 * sites / (offspring * spread**2),
            "scale of a cluster of s sites whose target has variance V",
        ),
        "distance": Form(
            sp.sqrt(2 * sites / (SIZE * offspring)),
            "mean number of steps to the nearest of n training sites",
        ),
    }
    regime = Regime("smoothness-limited", sp.true, grid.expr, None)

    def build() -> Derivation:
        return Derivation((*grid.derivation.steps, *_tree_steps()), (), grid.derivation.box)

    return Derived((regime,), (), build, forms=forms)


def _tree_steps() -> list[Step]:
    """Write the law of the nearest training site on an infinite critical tree, and the loss that follows."""
    sites, offspring, spread, density, scale = sp.symbols("s v V lambda n_0", positive=True)
    r, x, phi, slope, empty, mean, h = sp.symbols("r_g x phi phi_prime G E_d h", positive=True)
    rate = sp.sqrt(density * offspring / 2)
    hit = sp.sqrt(2 * density / offspring) * sp.tanh(r * rate)
    step_away = sp.Symbol("w", positive=True)
    curve = 2 * step_away / (1 + step_away) ** 3 / sp.cosh(2 * sp.sqrt(U) / (1 + step_away)) ** 2
    return [
        step(
            phi,
            hit,
            DEFINITION,
            "probability that a branch has a training site within r steps, at a density lambda of them",
            FISHER_1961,
        ),
        step(slope, sp.diff(hit, r), DEFINITION, "how it grows with r"),
        step(
            slope,
            density - offspring * phi**2 / 2,
            EQUAL,
            "a critical branch: one child on average, whose number varies by v",
        ),
        step(
            empty,
            sp.Integral(
                offspring * hit.subs(r, r / (1 + step_away)) * r / (1 + step_away) ** 2,
                (step_away, 0, sp.oo),
            ),
            DEFINITION,
            "hazards add up: no training site within r on any branch off the path",
        ),
        step(
            empty,
            2 * sp.log(sp.cosh(r * rate)),
            EQUAL,
            "so that none is nearer than r with probability exp(-G) = 1/cosh^2",
        ),
        step(
            mean,
            sp.Integral(1 / sp.cosh(r * rate) ** 2, (r, 0, sp.oo)),
            DEFINITION,
            "mean distance",
        ),
        step(
            mean,
            sp.sqrt(2 / (density * offspring)),
            EQUAL,
            "it falls as the square root of the density: D = 4, and d steps go as far as d^(1/2)",
        ),
        step(density, SIZE / sites, DEFINITION, "n training sites among s"),
        step(scale, 2 * sites / (offspring * spread**2), DEFINITION, "the scale of n"),
        step(
            r,
            2 * spread * x,
            DEFINITION,
            "targets at distance r have the correlation 1 - r/(2 V) = 1 - x",
        ),
        step(
            empty,
            2 * sp.log(sp.cosh(2 * sp.sqrt(SIZE / scale) * x)),
            EQUAL,
            "the same in these units",
        ),
        step(
            h,
            sp.Integral(curve, (step_away, 0, sp.oo)),
            DEFINITION,
            "error 1 - E(1 - x)^2 over x < 1, by parts, with x = 1/(1 + w), u = n/n_0",
        ),
        step(
            h,
            sp.log(sp.cosh(2 * sp.sqrt(U))) / (2 * U),
            EQUAL,
            "the learning curve of a cluster, without a free parameter",
        ),
        step(h, 1 / sp.sqrt(U), asymptotic(U), "its exponent is c/D = 2/4"),
    ]


# -- appendix -----------------------------------------------------------------------------------------------------------

BACKGROUND, VOCABULARY, EXTENT, INVERSE = sp.symbols("p V R X", positive=True)


@short_repr
@dataclass(frozen=True)
class LossReduction:
    r"""A masked coordinate with a vocabulary of V values, R of which lie in the cluster.

    Attributes
    ----------
    background : Expr or number
        p: weight of a value outside the cluster relative to one inside, between 0 and 1.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    background: Any = BACKGROUND
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {BACKGROUND: (sp.Rational(1, 20), sp.Rational(4, 5))}
    )


def derive_reduction(model: LossReduction) -> Derived:
    r"""Derive how much knowing a cluster lowers the cross-entropy, against its share of the vocabulary.

    Parameters
    ----------
    model : LossReduction
        Any background weight.

    Returns
    -------
    Derived
        Exponent 1 in :math:`X = V/R`: the reduction is proportional to the extent of the cluster where that is small, which makes the
        weight of a cluster proportional to its size. Forms ``reduction``, ``first_order``, ``best_x`` and ``largest``.

    Raises
    ------
    DomainError
        If the background weight is a number outside (0, 1).

    Examples
    --------
    >>> derive_reduction(LossReduction(sp.Rational(1, 2))).constant.evalf(6)
    0.386294
    """
    instance("model", model, LossReduction)
    p = sp.sympify(model.background)
    if p.is_number and not 0 < p < 1:
        raise refusal("background", model.background, "must lie between 0 and 1")
    R, V, X = EXTENT, VOCABULARY, INVERSE
    Z, gain, x, best, tasks, extent, cluster, total = sp.symbols(
        "Z Delta x x_max T_s ell_s s W_s", positive=True
    )
    height = sp.log(1 / p) / (1 - p)
    entropy = sp.log(V) + p * (V - R) / Z * sp.log(p) - sp.log(Z)
    constant = (sp.log(1 / p) - (1 - p)) / p
    curve = x / (1 + x) * height - sp.log(1 + x)
    steps = [
        step(R, V / X, DEFINITION, "values inside the cluster"),
        step(
            Z,
            R + p * (V - R),
            DEFINITION,
            "normalization: inside 1/Z each, outside p/Z",
            BRILL_2024,
        ),
        step(
            gain, entropy, DEFINITION, "cross-entropy below log V, that of no knowledge", BRILL_2024
        ),
        step(x, R * (1 - p) / (p * V), DEFINITION, "odds of the cluster, above those of its share"),
        step(gain, curve, EQUAL, "the same in one variable"),
        step(
            best,
            height - 1,
            solves(sp.Eq(height / (1 + best) ** 2, 1 / (1 + best), evaluate=False)),
            "where its slope vanishes; it is 0 at R = 0 and R = V",
        ),
        step(gain, constant / X, asymptotic(X), "first order for small clusters"),
        step(_C, constant, DEFINITION, "the constant in front"),
        step(gain, _C / X, EQUAL, "proportional to the extent of the cluster"),
        step(
            extent,
            cluster ** (1 / FRACTAL),
            DEFINITION,
            "that extent, for a cluster of s sites",
            BRILL_2024,
        ),
        step(
            tasks,
            cluster ** ((FRACTAL - 1) / FRACTAL),
            DEFINITION,
            "contexts in which the cluster decides",
            BRILL_2024,
        ),
        step(total, extent * tasks, DEFINITION, "all of them together"),
        step(total, cluster, EQUAL, "the weight of a cluster is its size"),
    ]
    x_form = R * (1 - p) / (p * V)
    forms = {
        "reduction": Form(x_form / (1 + x_form) * height - sp.log(1 + x_form), "loss reduction"),
        "first_order": Form(R / (p * V) * (sp.log(1 / p) - (1 - p)), "the same for small clusters"),
        "best_x": Form(height - 1, "x = R (1 - p)/(p V) at which it is largest"),
        "largest": Form(height - 1 - sp.log(height), "its largest value"),
    }
    box = {name: ends for name, ends in model.box.items() if name in p.free_symbols}
    conditions = (sp.Lt(p, 1),) if p.free_symbols else ()
    derivation = Derivation(
        tuple(steps),
        (),
        box | {FRACTAL: (sp.Rational(3, 2), 4)} if box else {FRACTAL: (sp.Rational(3, 2), 4)},
    )
    return Derived(
        (Regime("small clusters", sp.true, sp.S.One, constant),),
        conditions,
        derivation,
        forms=forms,
    )
