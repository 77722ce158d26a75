r"""The flow of the quadratic and the quartic coupling, with its fixed points.

Couplings of the measure run away to the massive point. They are drawn as :math:`\hat r/(1 + \hat r)` and
:math:`\hat u/(1 + \hat r)^2`, in which that point is (1, 0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....arguments import number
from ....formatting import short
from ....solvers.renormalization import FixedPoint, fixed_points, flow_velocity
from ..style import KEY_SIZE, LAW, NOTE, RIVAL, THEORY, bare, canvas, explain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_GRID = 36


def flow_diagram(
    alpha: float = 0.5,
    *,
    convention: str = "per_datum",
    momentum: str = "generic",
    figure: Figure | None = None,
) -> Figure:
    r"""Draw how the quadratic and the quartic coupling flow as modes are integrated out, and where the flow rests.

    Parameters
    ----------
    alpha : float
        :math:`\alpha` of the eigenvalues :math:`\lambda_k = k^{-1-\alpha}`, from 0.001 to 1000.
    convention : {"per_datum", "measure"}
        What the couplings multiply, as for `scalinglaws.solvers.renormalization.dimensionless_flow`.
    momentum : {"generic", "conserving"}
        Which eigenfunctions; only "measure" knows the difference.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Stream lines carry ``"flow"`` as ``gid``, the shaded half plane
        where the likelihood grows with the residual ``"no likelihood"``, and each fixed point its name.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Examples
    --------
    >>> figure = flow_diagram(0.5)
    >>> [artist.get_gid() for artist in figure.axes[0].get_lines()]
    ['trivial', 'ridge', 'quartic']
    """
    points = fixed_points(alpha, convention=convention, momentum=momentum)
    a = number("alpha", alpha)
    per_datum = convention == "per_datum"
    figure = canvas(figure, (6.4, 4.8))
    axis = figure.subplots()
    places = {point.name: _place(point, per_datum) for point in points}
    window = _window(np.array(list(places.values())), a, per_datum)
    _stream(axis, a, convention, momentum, window)
    axis.axhspan(window[1, 0], 0.0, color=RIVAL, alpha=0.18, lw=0, gid="no likelihood")
    for point in points:
        _mark(axis, point, places[point.name])
    axis.set_xlim(window[0])
    axis.set_ylim(window[1])
    if per_datum:
        axis.set_xlabel(r"quadratic coupling $\hat r$")
        axis.set_ylabel(r"quartic coupling $\hat u$")
    else:
        axis.set_xlabel(r"$\hat r/(1 + \hat r)$")
        axis.set_ylabel(r"$\hat u/(1 + \hat r)^2$")
    axis.legend(loc="upper left", fontsize=KEY_SIZE, framealpha=0.9, edgecolor="none")
    bare(axis)
    kind = "each datum" if per_datum else f"the measure, {momentum} eigenfunctions"
    rates = "; ".join(
        f"{_spelled(point)} {' and '.join(short(rate) for rate in point.exponents)}"
        for point in points
    )
    explain(
        figure,
        [f"Couplings of {kind}, alpha = {short(a)}. Exponents: {rates}. Shaded: no likelihood."],
    )
    return figure


def _place(point: FixedPoint, per_datum: bool) -> tuple[float, float]:
    if per_datum:
        return point.quadratic, point.quartic
    if np.isinf(point.quadratic):
        return 1.0, point.quartic
    return point.quadratic / (1 + point.quadratic), point.quartic / (1 + point.quadratic) ** 2


def _spelled(point: FixedPoint) -> str:
    return point.name.replace("_", " ")


def _window(places: Array, alpha: float, per_datum: bool) -> Array:
    """Return left and right, bottom and top, with room around all fixed points."""
    if per_datum:
        return np.array([[-0.6 * alpha, 1.9 * alpha], [-0.75 * alpha**2, 2.2 * alpha**2]])
    left = min(-0.3, 1.6 * float(places[:, 0].min()))
    top = max(1.7 * float(places[:, 1].max()), 0.8 * (1 + 2 * alpha))
    return np.array([[left, 1.05], [min(-0.25 * top, 1.3 * float(places[:, 1].min())), top]])


def _stream(axis: Axes, alpha: float, convention: str, momentum: str, window: Array) -> None:
    """Draw stream lines of the field."""
    x, y = (np.linspace(low, high, _GRID) for low, high in window)
    across, along = np.meshgrid(x, y)
    given: dict[str, Any] = {"alpha": alpha, "convention": convention, "momentum": momentum}
    if convention == "per_datum":
        across_velocity, along_velocity = flow_velocity(quadratic=across, quartic=along, **given)
    else:
        # of s = r/(1 + r), w = u/(1 + r)^2: s' = (1 - s)^2 r', w' = (1 - s)^2 u' - 2 (1 - s) w r'
        inside = across < 1
        rest = np.where(inside, 1 - across, 1.0)
        r, u = flow_velocity(quadratic=1 / rest - 1, quartic=along / rest**2, **given)
        across_velocity = np.where(inside, rest**2 * r, np.nan)
        along_velocity = np.where(inside, rest**2 * u - 2 * rest * along * r, np.nan)
    lines = axis.streamplot(
        x,
        y,
        across_velocity,
        along_velocity,
        color=THEORY,
        linewidth=0.8,
        arrowsize=0.8,
        density=1.1,
        zorder=1,
    )
    lines.lines.set_gid("flow")


def _mark(axis: Axes, point: FixedPoint, place: tuple[float, float]) -> None:
    marker, face = ("o", LAW) if point.stable else ("o", "white")
    if not point.physical:
        marker, face = "X", "white"
    kind = "stable" if point.stable else "unstable" if max(point.exponents) > 0 else "marginal"
    axis.plot(
        *place,
        marker,
        ms=9,
        mfc=face,
        mec=LAW if point.physical else NOTE,
        mew=1.8,
        ls="",
        zorder=5,
        label=f"{_spelled(point)} ({kind})",
        gid=point.name,
    )
