"""Exponents of curves that are more than a power: an offset, a plateau, a bend."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ...arguments import choice, numbers, one_row, refuse_first
from ...equality import by_value
from ...errors import ConvergenceError, refusal
from ...reprs import short_repr

Array = NDArray[np.float64]

_MAX_STEPS = 400
_VANISHING = 1e-7  # an offset so small, relative to the smallest loss, moves no logarithm
_TRUSTED = (
    1e-10  # eigenvalue of the scaled normal matrix below which parameters cannot be told apart
)


@short_repr
@dataclass(frozen=True)
@by_value
class ExponentFit:
    """A parametric fit to one curve or to several.

    Attributes
    ----------
    form : str
        What was fitted, as in `fit_exponent`.
    exponent : float or ndarray
        The exponent g at the largest x, one per curve.
    exponent_se : float or ndarray
        Standard error if the scatter around the fit were independent from point to point; nan where there are as many
        parameters as points.
    parameters : dict of str to float or ndarray
        All parameters by name.
    residual : float or ndarray
        Root mean square of the logarithmic residuals.
    """

    form: str
    exponent: float | Array
    exponent_se: float | Array
    parameters: dict[str, float | Array]
    residual: float | Array


@dataclass(frozen=True)
class _Base:
    """A positive function with amplitude exp(theta[0]): its logarithm and the logarithm's derivatives."""

    names: tuple[str, ...]
    log_and_slopes: Callable[[Array, Array], tuple[Array, list[Array]]]
    grid: Callable[[Array], Array]


def _power(theta: Array, u: Array) -> tuple[Array, list[Array]]:
    amplitude, g = theta[..., 0:1], theta[..., 1:2]
    return amplitude - g * u, [np.ones_like(amplitude * u), -np.broadcast_to(u, np.shape(g * u))]


def _plateau(theta: Array, u: Array) -> tuple[Array, list[Array]]:
    amplitude, g, bend = theta[..., 0:1], theta[..., 1:2], theta[..., 2:3]
    rise = np.logaddexp(0.0, u - bend)
    return amplitude - g * rise, [np.ones_like(rise), -rise, g * special.expit(u - bend)]


def _broken(theta: Array, u: Array) -> tuple[Array, list[Array]]:
    amplitude, early, change, bend = (theta[..., i : i + 1] for i in range(4))
    rise = np.logaddexp(0.0, u - bend)
    return amplitude - early * u - change * rise, [
        np.ones_like(rise),
        -np.broadcast_to(u, rise.shape),
        -rise,
        change * special.expit(u - bend),
    ]


_SLOPES = np.concatenate([np.linspace(0.02, 1.5, 16), np.linspace(1.75, 6.0, 10)])


def _bends(u: Array) -> Array:
    return np.linspace(u.min(), u.max(), 9)


_BASES = {
    "power": _Base(("amplitude", "exponent"), _power, lambda u: _SLOPES[:, None]),
    "plateau": _Base(
        ("amplitude", "exponent", "bend"), _plateau, lambda u: _product(_SLOPES, _bends(u))
    ),
    "broken": _Base(
        ("amplitude", "early_exponent", "change", "bend"),
        _broken,
        lambda u: _product(np.linspace(0.0, 3.0, 13), np.linspace(-2.0, 3.0, 11), _bends(u)),
    ),
}
_FORMS = {
    "power": ("power", False),
    "offset": ("power", True),
    "plateau": ("plateau", False),
    "three_region": ("plateau", True),
    "broken": ("broken", False),
}
FORMS = tuple(_FORMS)


def fit_exponent(x: ArrayLike, losses: ArrayLike, *, form: str = "offset") -> ExponentFit:
    r"""Fit a power law with what may surround it, by least squares in logarithms.

    .. math::
        \text{power: } c x^{-g}, \quad \text{offset: } E + c x^{-g}, \quad \text{plateau: } c (1 + x/x_0)^{-g}, \quad
        \text{three_region: } E + c (1 + x/x_0)^{-g}, \quad \text{broken: } c x^{-g_0} (1 + x/x_0)^{-(g - g_0)}

    Parameters
    ----------
    x : array_like, shape (J,)
        Positive; at least as many different values as the form has parameters (2, 3, 3, 4, 4).
    losses : array_like, shape (J,) or (R, J)
        Positive; every row is fitted on its own.
    form : {"power", "offset", "plateau", "three_region", "broken"}
        What is fitted; g is the exponent at large x.

    Returns
    -------
    ExponentFit
        Exponent, its standard error from the scatter, and all parameters.

    Raises
    ------
    DomainError
        If x or the losses are not positive, there are too few points, or the form is unknown.
    ConvergenceError
        If the fit does not settle, or the points cannot tell two parameters apart, as where a window ends before the power
        law begins. The fit is attached.

    Notes
    -----
    Starts from a grid of shapes with the best non-negative amplitudes of each (variable projection), then damped
    Gauss-Newton steps with exact derivatives, all rows at once: about 2 ms for a dozen rows. Scale factors of x and of
    the losses change nothing but `bend`, `amplitude` and `offset`.

    Examples
    --------
    >>> x = np.geomspace(1, 1e4, 9)
    >>> found = fit_exponent(x, 0.2 + 3 * x**-0.5)
    >>> round(found.exponent, 8), round(found.parameters["offset"], 8)
    (0.5, 0.2)
    """
    choice("form", form, _FORMS)
    abscissa, values = one_row("x", x, low=0, strict=True), numbers("losses", losses)
    if values.ndim not in (1, 2) or values.shape[-1] != abscissa.size:
        raise refusal(
            "losses",
            np.shape(values),
            "must be positive and finite, one per x in every row",
            shown=False,
        )
    good = (values > 0) & np.isfinite(values)
    refuse_first("losses", values, ~good, "must be positive and finite")
    kind, with_offset = _FORMS[form]
    base = _BASES[kind]
    count = len(base.names) + with_offset
    if np.unique(abscissa).size < count:
        raise refusal(
            "x",
            x,
            f"form = {form!r} has {count} parameters and needs as many different x",
            named=False,
        )

    middle = float(np.mean(np.log(abscissa)))
    u, y = np.log(abscissa) - middle, np.log(np.atleast_2d(values))
    heights = y.mean(axis=1, keepdims=True)
    y = y - heights
    theta, normal, settled = _refine(base, with_offset, _start(base, with_offset, u, y), u, y)

    named = dict(zip(base.names, theta.T, strict=False))
    gradient = np.array(
        [
            1.0 if name in ("exponent", "early_exponent", "change") else 0.0
            for name in [*base.names, "offset"][:count]
        ]
    )
    exponent = theta @ gradient
    rms = np.sqrt(np.mean((_model(base, with_offset, theta, u)[0] - y) ** 2, axis=1))
    variance, separated = _variance(normal, gradient, with_offset)
    freedom = abscissa.size - count
    error = (
        np.sqrt(rms**2 * abscissa.size / freedom * variance)
        if freedom
        else np.full_like(rms, np.nan)
    )

    parameters: dict[str, Array] = {"exponent": exponent}
    if kind == "broken":
        parameters["early_exponent"] = named["early_exponent"]
    if kind == "plateau":  # a plateau has its height at x = 0
        parameters["amplitude"] = np.exp(named["amplitude"] + heights[:, 0])
    else:
        steep = named["exponent"] if kind == "power" else named["early_exponent"]
        parameters["amplitude"] = np.exp(named["amplitude"] + heights[:, 0] + steep * middle)
    if "bend" in named:
        parameters["bend"] = np.exp(named["bend"] + middle)
    if with_offset:
        parameters["offset"] = np.exp(theta[:, -1] + heights[:, 0])

    single = values.ndim == 1

    def plain(array: Array) -> float | Array:
        return float(array[0]) if single else array

    found = ExponentFit(
        form,
        plain(exponent),
        plain(error),
        {name: plain(array) for name, array in parameters.items()},
        plain(rms),
    )
    if not np.all(settled):
        raise ConvergenceError(
            f"the fit of form {form!r} did not settle in {_MAX_STEPS} steps for {np.sum(~settled)} of {settled.size} curves; "
            "use a simpler form or a wider window",
            result=found,
        )
    if not np.all(separated):
        raise ConvergenceError(
            f"the window {abscissa.min():g}..{abscissa.max():g} does not determine the parameters of form {form!r}; "
            "use a simpler form or a wider window",
            result=found,
        )
    return found


def _product(*axes: Array) -> Array:
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=-1)


def _model(base: _Base, with_offset: bool, theta: Array, u: Array) -> tuple[Array, Array]:
    """Return the log loss and its derivatives, shapes (R, J) and (R, J, parameters)."""
    log_base, slopes = base.log_and_slopes(theta, u)
    if not with_offset:
        return log_base, np.stack(slopes, axis=-1)
    offset = theta[..., -1:]
    share = special.expit(log_base - offset)  # of the loss that is not offset
    slopes = [share * slope for slope in slopes]
    return np.logaddexp(log_base, offset), np.stack([*slopes, 1 - share], axis=-1)


def _start(base: _Base, with_offset: bool, u: Array, y: Array) -> Array:
    """Choose the best shape of a grid for every curve, with its best non-negative amplitudes in relative least squares."""
    shapes = base.grid(u)
    log_base, _ = base.log_and_slopes(
        np.concatenate([np.zeros((len(shapes), 1)), shapes], axis=1), u
    )
    top = log_base.max(axis=1, keepdims=True)
    phi = np.exp(log_base - top)[None] / np.exp(y)[:, None, :]  # relative to the loss
    flat = np.broadcast_to(1 / np.exp(y)[:, None, :], phi.shape)
    pp, p1 = np.sum(phi**2, -1), np.sum(phi, -1)
    if with_offset:
        ee, e1, pe = np.sum(flat**2, -1), np.sum(flat, -1), np.sum(phi * flat, -1)
        det = np.maximum(pp * ee - pe**2, 1e-300)
        c, e = (p1 * ee - e1 * pe) / det, (e1 * pp - p1 * pe) / det
        c, e = np.where(e < 0, p1 / pp, c), np.maximum(e, 0.0)
        c, e = np.where(c <= 0, 1e-3 * p1 / pp, c), np.where(c <= 0, e1 / ee, e)
    else:
        c, e = p1 / pp, np.zeros_like(pp)
    misfit = np.sum((c[..., None] * phi + e[..., None] * flat - 1) ** 2, -1)
    best = np.argmin(misfit, axis=1)
    rows = np.arange(len(y))
    theta = np.concatenate([(np.log(c[rows, best]) - top[best, 0])[:, None], shapes[best]], axis=1)
    if with_offset:
        floor = 1e-3 * np.exp(y.min(axis=1))
        theta = np.concatenate([theta, np.log(np.maximum(e[rows, best], floor))[:, None]], axis=1)
    return theta


def _refine(
    base: _Base, with_offset: bool, theta: Array, u: Array, y: Array
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Take damped Gauss-Newton steps on all curves at once; return parameters, normal matrices and which curves settled."""
    bottom = y.min(axis=1) + math.log(_VANISHING)
    damping = np.full(len(y), 1e-3)
    settled = np.zeros(len(y), bool)
    value, jacobian = _model(base, with_offset, theta, u)
    cost = np.sum((value - y) ** 2, axis=1)
    ones = np.eye(theta.shape[1])
    for _ in range(_MAX_STEPS):
        normal = np.einsum("rji,rjk->rik", jacobian, jacobian)
        gradient = np.einsum("rji,rj->ri", jacobian, value - y)
        if with_offset:  # an offset at its lower bound that still wants to fall is held there
            held = (theta[:, -1] <= bottom) & (gradient[:, -1] >= 0)
            normal[held, -1, :] = normal[held, :, -1] = gradient[held, -1] = 0.0
            normal[held, -1, -1] = 1.0
        scale = np.maximum(np.einsum("rii->ri", normal), 1e-30)
        step = -np.linalg.solve(
            normal + (damping[:, None] * scale + 1e-300)[..., None] * ones, gradient[..., None]
        )[..., 0]
        trial = theta + np.clip(step, -3.0, 3.0)
        if with_offset:
            trial[:, -1] = np.maximum(trial[:, -1], bottom)
        trial_value, trial_jacobian = _model(base, with_offset, trial, u)
        trial_cost = np.sum((trial_value - y) ** 2, axis=1)
        better = (trial_cost <= cost) & ~settled
        gain = cost - trial_cost
        settled |= (better & (gain <= 1e-13 * cost + 1e-28)) | (damping > 1e12)
        theta = np.where(better[:, None], trial, theta)
        value, jacobian = (
            np.where(better[:, None], trial_value, value),
            np.where(better[:, None, None], trial_jacobian, jacobian),
        )
        cost = np.where(better, trial_cost, cost)
        damping = np.where(better | settled, np.maximum(damping * 0.1, 1e-12), damping * 4)
        if settled.all():
            break
    return theta, np.einsum("rji,rjk->rik", jacobian, jacobian), settled


def _variance(normal: Array, gradient: Array, with_offset: bool) -> tuple[Array, NDArray[np.bool_]]:
    """Return the exponent's variance per unit of residual variance, and whether the parameters can be told apart.

    An offset that has vanished moves nothing and is left out; any other parameter that moves nothing is not determined.
    """
    variances, separated = np.empty(len(normal)), np.empty(len(normal), bool)
    for i, matrix in enumerate(normal):
        size = np.sqrt(np.diag(matrix))
        kept = size > 1e-6 * size.max()
        scaled = matrix[np.ix_(kept, kept)] / np.outer(size[kept], size[kept])
        values, vectors = np.linalg.eigh(scaled)
        along = vectors.T @ (gradient[kept] / size[kept])
        separated[i] = bool(values[0] > _TRUSTED) and bool(np.all(kept[: kept.size - with_offset]))
        variances[i] = float(np.sum(along**2 / np.maximum(values, 1e-300)))
    return variances, separated
