"""One cost with its prefactors: neurons of a second layer with erf activation specialize on a cubic target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import minimize_scalar

from ...arguments import number
from ...errors import refusal
from ...reprs import short_repr
from ..parameters import as_expression

_M, _U, _N2, _D = sp.symbols("M u N_2 d", positive=True)
_LARGEST = 1e150  # size whose square is a floating-point number
SELF_OVERLAP = 2 / sp.pi * sp.asin(sp.Rational(2, 3))


def erf_cost(
    neurons: Any = _M, amplitude: Any = _U, width: Any = _N2, dimension: Any = _D
) -> sp.Expr:
    r"""Write the cost of M second-layer neurons with amplitude u on :math:`x_1`, prefactors included.

    .. math:: \frac{M u^2 d}{2\cdot 4/(3\pi)} + \frac{N_2}{2 M c_3^2},\qquad
       c_3 = \frac{4}{\sqrt{6\pi}}\,u^3 (1 + 2 q_0 + 2u^2)^{-3/2},\quad q_0 = \tfrac2\pi\arcsin\tfrac23

    Parameters
    ----------
    neurons, amplitude, width, dimension : Expr or number
        M, u, N_2 and d; symbols by default.

    Returns
    -------
    Expr
        First layer lazy with :math:`|w|^2 = 1`, target :math:`He_3(x_1)/\sqrt 6`; :math:`4/(3\pi d)` is the eigenvalue of a linear
        feature under the first layer's kernel, q_0 that kernel at equal inputs.

    Raises
    ------
    DomainError
        If one of them is no finite number or expression, or not positive (width and dimension may be zero).

    Examples
    --------
    >>> float(erf_cost(3, 1.325, 100, 100))
    1204.7...
    """
    given = {"neurons": neurons, "amplitude": amplitude, "width": width, "dimension": dimension}
    for name, value in given.items():
        given[name] = found = as_expression(name, value)
        if found.is_number and (found < 0 or (found == 0 and name in ("neurons", "amplitude"))):
            raise refusal(name, value, "must be positive")
    neurons, amplitude, width, dimension = given.values()
    overlap = (
        4
        / sp.sqrt(6 * sp.pi)
        * amplitude**3
        * (1 + 2 * SELF_OVERLAP + 2 * amplitude**2) ** sp.Rational(-3, 2)
    )
    return neurons * amplitude**2 * dimension * 3 * sp.pi / 8 + width / (2 * neurons * overlap**2)


@short_repr
@dataclass(frozen=True)
class ErfOptimum:
    """The cheapest specialization of an erf layer.

    Attributes
    ----------
    cost : float
        Minus the logarithm of the prior probability, fluctuations around the configuration left out.
    neurons : int
        How many specialize.
    amplitude : float
        How strongly each carries the feature.
    """

    cost: float
    neurons: int
    amplitude: float


def erf_optimum(width: float, dimension: float) -> ErfOptimum:
    """Minimize `erf_cost` over a whole number of neurons and their amplitude.

    Parameters
    ----------
    width, dimension : float
        N_2 >= 1 and d >= 1.

    Returns
    -------
    ErfOptimum
        Amplitude by bounded scalar minimization, to 1e-8.

    Raises
    ------
    DomainError
        If a size is below one or above 1e150.

    Examples
    --------
    >>> erf_optimum(100, 100).neurons
    3
    """
    for name, value in (("width", width), ("dimension", dimension)):
        number(name, value, low=1, high=_LARGEST)
    cost = sp.lambdify((_M, _U), erf_cost(width=width, dimension=dimension), "numpy")

    def best(neurons: float) -> tuple[float, float]:
        found = minimize_scalar(
            lambda u: float(cost(neurons, np.exp(u))),
            bounds=(-6, 3),
            method="bounded",
            options={"xatol": 1e-10},
        )
        return float(found.fun), float(np.exp(found.x))

    # at any amplitude the two terms are equal at the best real M; the best amplitude is then that of a single term
    shape = sp.lambdify(_U, erf_cost(1, _U, 1, 0) * _U**2, "numpy")
    free = minimize_scalar(
        lambda u: float(shape(np.exp(u))),
        bounds=(-6, 3),
        method="bounded",
        options={"xatol": 1e-10},
    )
    amplitude = float(np.exp(free.x))
    real = np.sqrt(float(cost(1, amplitude)) / (amplitude**2 * dimension * 3 * np.pi / 8) - 1)
    tried = {max(1, int(real) + step) for step in (-1, 0, 1, 2)}
    value, neurons, amplitude = min(
        (best(count)[0], count, best(count)[1]) for count in tried if count <= width
    )
    return ErfOptimum(value, neurons, amplitude)
