"""The best split of a budget between model size and time, when features learn."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, number, numbers, shaped
from ...errors import refusal
from ...results import Diagnostics, Status
from ..equivalents.search import METHOD, POINTS, best_split
from ..linear import ComputeFrontier
from ..spectra import Spectrum, one_spectrum
from ._flow import gradient_flow
from ._warped_loss import PROMISED

_LARGEST = 1e40  # budget


def compute_frontier(compute: ArrayLike, spectrum: Spectrum, *, richness: float) -> ComputeFrontier:
    r"""Find the model size that makes the most of a compute budget, when features learn.

    .. math:: E^*(C) = \min_N E(N, C/N)

    with the test loss E(N, t) of `gradient_flow` on the population loss at real N and t.

    Parameters
    ----------
    compute : array_like
        Budgets C = N t, 4 to 1e40, t in units of one over an eigenvalue.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers.
    richness : float
        :math:`\gamma \ge 0`.

    Returns
    -------
    ComputeFrontier
        Best model size, time and loss of every budget, and their local exponents.

    Raises
    ------
    DomainError
        If an argument is out of range, or the best size lies at an end of the range, N = 1 or t = 1.

    Notes
    -----
    The search of `linear.compute_frontier`: about 60 losses per budget, each a flow of its own, 1 s. Sizes are accurate
    to about 1e-5, exponents to 1e-4. For a power law with beta < 1 the exponents tend to
    :math:`2\alpha\beta/(\alpha(1+\beta)+2)` for the loss and :math:`2/(\alpha(1+\beta)+2)` for the size, instead of
    :math:`\alpha\beta/(\alpha+1)` and :math:`1/(\alpha+1)` for the lazy flow; for easier tasks to those of the lazy flow.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858, sec. 5.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = compute_frontier(1e6, PowerLawSpectrum(1.5, 0.5), richness=1)
    >>> print(f"{found.features:.2f} {found.loss:.5f} {found.loss_exponent:.3f}")
    2024.56 0.01891 0.349
    """
    one_spectrum(spectrum, compute=compute)
    budgets = numbers("compute", compute, low=4.0)
    if np.any(budgets > _LARGEST):
        raise refusal("compute", np.max(budgets), f"must be at most {_LARGEST:g}")
    richness = number("richness", richness, low=0.0)
    error, steps = 0.0, 0

    def log_loss(log_features: ArrayLike, log_compute: ArrayLike) -> Array:
        nonlocal error, steps
        x, c = np.broadcast_arrays(np.asarray(log_features, float), np.asarray(log_compute, float))
        # one column: the order of times along the last axis does not matter
        found = gradient_flow(
            np.exp(c - x).ravel()[:, None],
            spectrum,
            richness=richness,
            features=np.exp(x).ravel()[:, None],
        )
        error, steps = (
            max(error, found.diagnostics.error_estimate),
            max(steps, found.diagnostics.iterations),
        )
        with np.errstate(divide="ignore"):  # a loss of zero is refused by the search
            return np.asarray(np.log(found.test_loss)).reshape(x.shape)

    found = [
        best_split(log_loss, np.linspace(0, math.log(c), POINTS), math.log(c))
        for c in budgets.ravel().tolist()
    ]
    names = ("features", "loss", "loss_exponent", "features_exponent", "slope")
    columns = {name: np.array([getattr(one, name) for one in found]) for name in names}
    slope = float(np.max(np.abs(columns.pop("slope")), initial=0.0))
    return ComputeFrontier(
        compute=shaped(budgets.ravel(), budgets.shape),
        time=shaped(budgets.ravel() / columns["features"], budgets.shape),
        learning_rate=shaped(np.ones(budgets.size), budgets.shape),
        diagnostics=Diagnostics(
            Status.LOST_ACCURACY if error > PROMISED else Status.CONVERGED,
            slope,
            steps,
            METHOD,
            error,
        ),
        **{name: shaped(column, budgets.shape) for name, column in columns.items()},
    )
