r"""Scaling relations of percolation: two exponents give all others.

.. math:: \beta_p = \frac{\tau - 2}{\sigma}, \quad \gamma_p = \frac{3 - \tau}{\sigma}, \quad \delta = \frac1{\tau - 2}, \quad
          \alpha = \frac{3 - \tau}{\tau - 2} = \frac{\gamma_p}{\beta_p}

and up to six dimensions, by hyperscaling, :math:`\tau = d/D + 1` and :math:`\sigma = 1/(\nu D)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

import sympy as sp

from ...errors import refusal, unknown_name
from ...reprs import short_repr
from ..parameters import to_exact

UPPER_DIMENSION = 6  # above it mean-field exponents hold and hyperscaling does not
_SCALING = ("tau", "sigma", "beta_p", "gamma_p", "delta", "alpha")
_SPATIAL = ("D", "nu")


@short_repr
@dataclass(frozen=True)
class ScalingExponents:
    r"""Exponents of percolation, each as a number or an expression.

    Attributes
    ----------
    tau : Expr
        Clusters of s sites per site of the lattice: :math:`n_s \sim s^{-\tau}`.
    sigma : Expr
        Largest typical cluster: :math:`s_\xi \sim |p - p_c|^{-1/\sigma}`.
    beta_p, gamma_p : Expr
        Order parameter :math:`(p - p_c)^{\beta_p}` and mean cluster size :math:`|p - p_c|^{-\gamma_p}`.
    delta : Expr
        Critical isotherm.
    alpha : Expr
        Zipf excess of clusters drawn by a site: the k-th largest has the size :math:`k^{-(1 + \alpha)}`.
    D, nu : Expr or None
        Fractal dimension, and correlation length :math:`|p - p_c|^{-\nu}`; None without a dimension, and above six, where
        hyperscaling does not hold.
    """

    tau: sp.Expr
    sigma: sp.Expr
    beta_p: sp.Expr
    gamma_p: sp.Expr
    delta: sp.Expr
    alpha: sp.Expr
    D: sp.Expr | None
    nu: sp.Expr | None


def exponents_from(
    tau: sp.Expr, sigma: sp.Expr, dimension: sp.Expr | None = None
) -> ScalingExponents:
    """Write all exponents in terms of tau and sigma.

    Parameters
    ----------
    tau, sigma : Expr
        The two exponents of the cluster numbers.
    dimension : Expr or None
        d of hyperscaling; without it D and nu are None.

    Returns
    -------
    ScalingExponents
        The other exponents included.
    """
    hyper = dimension is not None
    return ScalingExponents(
        tau=tau,
        sigma=sigma,
        beta_p=sp.cancel((tau - 2) / sigma),
        gamma_p=sp.cancel((3 - tau) / sigma),
        delta=sp.cancel(1 / (tau - 2)),
        alpha=sp.cancel((3 - tau) / (tau - 2)),
        D=sp.cancel(dimension / (tau - 1)) if hyper else None,
        nu=sp.cancel((tau - 1) / (sigma * dimension)) if hyper else None,
    )


# tau from one exponent; these know nothing of sigma
_TAU_OF: Mapping[str, Callable[[Any, Any], Any]] = {
    "tau": lambda value, d: value,
    "delta": lambda value, d: 2 + 1 / value,
    "alpha": lambda value, d: 2 + 1 / (1 + value),
    "D": lambda value, d: 1 + d / value,
}
# sigma from one exponent and tau
_SIGMA_OF: Mapping[str, Callable[[Any, Any, Any], Any]] = {
    "sigma": lambda value, tau, d: value,
    "beta_p": lambda value, tau, d: (tau - 2) / value,
    "gamma_p": lambda value, tau, d: (3 - tau) / value,
    "nu": lambda value, tau, d: (tau - 1) / (d * value),
}
# tau and sigma from two exponents of the second kind
_BOTH_OF: Mapping[frozenset[str], Callable[[Mapping[str, Any], Any], tuple[Any, Any]]] = {
    frozenset({"sigma", "beta_p"}): lambda g, d: (2 + g["beta_p"] * g["sigma"], g["sigma"]),
    frozenset({"sigma", "gamma_p"}): lambda g, d: (3 - g["gamma_p"] * g["sigma"], g["sigma"]),
    frozenset({"sigma", "nu"}): lambda g, d: (1 + d * g["nu"] * g["sigma"], g["sigma"]),
    frozenset({"beta_p", "gamma_p"}): lambda g, d: (
        2 + g["beta_p"] / (g["beta_p"] + g["gamma_p"]),
        1 / (g["beta_p"] + g["gamma_p"]),
    ),
    frozenset({"beta_p", "nu"}): lambda g, d: (
        2 + g["beta_p"] / (d * g["nu"] - g["beta_p"]),
        1 / (d * g["nu"] - g["beta_p"]),
    ),
    frozenset({"gamma_p", "nu"}): lambda g, d: (
        3 - 2 * g["gamma_p"] / (d * g["nu"] + g["gamma_p"]),
        2 / (d * g["nu"] + g["gamma_p"]),
    ),
}


def scaling_relations(*, dimension: Any = None, **known: Any) -> ScalingExponents:
    """Derive all exponents from any two independent ones.

    Parameters
    ----------
    dimension : number, Symbol or None
        d. Needed for D and nu, which hyperscaling ties to the others up to six dimensions.
    **known
        Two or more of ``tau``, ``sigma``, ``D``, ``nu``, ``beta_p``, ``gamma_p``, ``delta``, ``alpha``: numbers or symbols. Beyond two
        they are checked against each other.

    Returns
    -------
    ScalingExponents
        Exact expressions; D and nu are None without a dimension or above six.

    Raises
    ------
    DomainError
        If there are fewer than two independent exponents (tau, delta and alpha fix each other, and so does D in a given
        dimension), they contradict each other, D or nu is given without a dimension or above six, or tau does not lie between 2 and 3.

    References
    ----------
    .. [1] D. Stauffer, A. Aharony, "Introduction to Percolation Theory" (1994), sec. 2 and 3.

    Examples
    --------
    Two dimensions, from the fractal dimension and the correlation length:

    >>> found = scaling_relations(dimension=2, D=sp.Rational(91, 48), nu=sp.Rational(4, 3))
    >>> found.tau, found.sigma, found.beta_p, found.gamma_p, found.alpha
    (187/91, 36/91, 5/36, 43/18, 86/5)

    In symbols:

    >>> d, D, nu = sp.symbols("d D nu", positive=True)
    >>> found = scaling_relations(dimension=d, D=D, nu=nu)
    >>> found.alpha, found.beta_p
    ((2*D - d)/(-D + d), -D*nu + d*nu)
    """
    names = [entry.name for entry in fields(ScalingExponents)]
    for name in known:
        if name not in names:
            raise unknown_name("exponent", name, names)
    values = {name: _read(name, value) for name, value in known.items()}
    d = None if dimension is None else _read("dimension", dimension)
    if d is not None and d.is_number and not d > 1:
        raise refusal("dimension", dimension, "must be above 1")
    hyper = d is not None and not (d.is_number and d > UPPER_DIMENSION)
    for name in _SPATIAL:
        if name in values and not hyper:
            why = (
                "needs the dimension"
                if d is None
                else f"says nothing of the others in {d} dimensions: hyperscaling ends at 6"
            )
            raise refusal(name, known[name], why)
    reach = d if hyper else None
    for pair in combinations(values, 2):
        base = _solve({name: values[name] for name in pair}, reach)
        if base is not None:
            break
    else:
        fixed = ", ".join(values) or "nothing"
        raise refusal(
            "known",
            dict(known),
            f"two independent exponents are needed, and {fixed} do not give two: tau, delta and "
            "alpha fix each other, and so does D in a given dimension",
            named=False,
        )
    found = exponents_from(sp.cancel(base[0]), sp.cancel(base[1]), reach)
    _check_range(found)
    for name, value in values.items():
        if sp.simplify(getattr(found, name) - value) != 0:
            raise refusal(
                name,
                known[name],
                f"contradicts {' and '.join(pair)}, which give {name} = {getattr(found, name)}",
            )
    return found


def _read(name: str, value: Any) -> sp.Expr:
    if isinstance(value, sp.Expr) and value.free_symbols:
        return value
    number = to_exact(value, name)
    if not number > 0:
        raise refusal(name, value, "must be positive")
    return number


def _solve(pair: Mapping[str, sp.Expr], d: sp.Expr | None) -> tuple[sp.Expr, sp.Expr] | None:
    """Return tau and sigma, or None where the two exponents are not independent."""
    statics = [name for name in pair if name in _TAU_OF]
    if len(statics) == 2:
        return None
    if not statics:
        try:
            return _BOTH_OF[frozenset(pair)](pair, d)
        except ZeroDivisionError:
            return None
    tau = _TAU_OF[statics[0]](pair[statics[0]], d)
    (other,) = pair.keys() - set(statics)
    return tau, _SIGMA_OF[other](pair[other], tau, d)


def _check_range(found: ScalingExponents) -> None:
    if found.tau.is_number and not (found.tau.is_finite and 2 < found.tau < 3):
        raise refusal("tau", found.tau, "follows, and must lie between 2 and 3")
    if found.sigma.is_number and not (found.sigma.is_finite and found.sigma > 0):
        raise refusal("sigma", found.sigma, "follows, and must be positive")
