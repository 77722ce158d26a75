"""The laws of the lazy linear model that the package ships."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy as sp

from ..asymptotics import RATIONAL
from ..catalogue import CATALOGUE
from ..formula import Law, Published
from ..references import ATANASOV_2024, BORDELON_2024, CAPONNETTO_2007, MALONEY_2022, PAQUETTE_2024
from ..symbols import ALPHA, BETA, C, N, P, T
from .bottlenecks import (
    ModeLimited,
    TimeLimited,
    TransientLimited,
    derive_mode,
    derive_time,
    derive_transient,
)
from .compute import ComputeLimited, derive_boundaries, derive_compute
from .ridge import SAMPLES, RidgeLimited, derive_ridge

_SYMBOLS = {
    "alpha": "capacity: eigenvalues fall as k^-alpha",
    "beta": "source: signal power falls as k^-(alpha*beta + 1)",
}


def _law(name: str, derive: Callable[[Any], Any], model: Any, **fields: Any) -> Law:
    given = {"quantity": "test loss", "symbols": _SYMBOLS, "standing": "derived", **fields}
    return Law(name=name, statement=CATALOGUE[name].statement, model=model, derive=derive, **given)


@lru_cache(maxsize=1)
def time_law() -> Law:
    r"""Return ``linear.time``: :math:`L(t) \simeq \frac{\Gamma(\beta)}{\alpha}(2t)^{-\beta}` under gradient flow."""
    return _law("linear.time", derive_time, TimeLimited(), variable=T, reference=(BORDELON_2024,))


@lru_cache(maxsize=1)
def data_law() -> Law:
    r"""Return ``linear.data``: :math:`L(P) \sim P^{-\alpha\min(\beta, 2)}` without ridge or noise, features unlimited."""
    model = ModeLimited(resource=P, residual=RATIONAL(2, 2), variance=RATIONAL(0, 2))
    return _law(
        "linear.data", derive_mode, model, variable=P, reference=(BORDELON_2024, CAPONNETTO_2007)
    )


@lru_cache(maxsize=1)
def model_law() -> Law:
    r"""Return ``linear.model``: :math:`L(N) \sim N^{-\alpha\min(\beta, 1)}`, samples and time unlimited."""
    return _law(
        "linear.model",
        derive_mode,
        ModeLimited(resource=N, residual=RATIONAL(1, 1)),
        variable=N,
        reference=(MALONEY_2022, ATANASOV_2024),
        published=Published(
            sp.Min(2 * ALPHA, ALPHA * BETA),
            "printed with the exponent of the data law; but the optimal predictor on N random features is a projection, which enters "
            "the loss once (kappa/(lambda + kappa)), not squared as a ridge fit's bias does, so the first modes limit it at "
            "alpha, not 2*alpha, once beta > 1",
            BORDELON_2024.at("model bottleneck"),
        ),
    )


@lru_cache(maxsize=1)
def transient_law() -> Law:
    r"""Return ``linear.transient``: :math:`L(t, N) - L(t, \infty) \sim N^{-1} t^{-(\min(1, \beta) - 1/\alpha)}` before saturation."""
    return _law(
        "linear.transient",
        derive_transient,
        TransientLimited(),
        quantity="N (L(t, N) - L(t, inf))",
        variable=T,
        reference=(BORDELON_2024, PAQUETTE_2024),
        published=Published(
            1 - 1 / ALPHA,
            "printed for tasks with beta >= 1; for harder ones the modes at the edge of what is learned weigh more than the first modes",
            PAQUETTE_2024.at("the term F_ac"),
        ),
    )


@lru_cache(maxsize=1)
def sgd_noise_law() -> Law:
    r"""Return ``linear.sgd_noise``: the noise of one-pass SGD decays as :math:`\tau^{-(2 - 1/\alpha)}`, :math:`\tau = \eta t`."""
    return _law(
        "linear.sgd_noise",
        derive_time,
        TimeLimited(signal=2 * ALPHA),
        quantity="noise kernel of online SGD, in units of eta^2/B, at t = learning rate times steps",
        symbols={"alpha": _SYMBOLS["alpha"]},
        variable=T,
        reference=(PAQUETTE_2024,),
    )


@lru_cache(maxsize=1)
def optimal_ridge_law() -> Law:
    r"""Return ``linear.optimal_ridge``: :math:`L \sim (\sigma^2/P)^{m/(m+1)}`, :math:`m = \alpha\min(\beta, 2)`."""
    return _law(
        "linear.optimal_ridge",
        derive_ridge,
        RidgeLimited(),
        quantity="test loss at the best ridge, X = samples / noise variance",
        variable=SAMPLES,
        reference=(CAPONNETTO_2007, ATANASOV_2024),
    )


@lru_cache(maxsize=1)
def compute_law() -> Law:
    r"""Return ``linear.compute``: the loss at the best model size for compute :math:`C = N t`, in seven phases."""
    return _law(
        "linear.compute",
        derive_compute,
        ComputeLimited(),
        quantity="test loss at the compute optimum of online SGD, C = N t",
        variable=C,
        reference=(PAQUETTE_2024, BORDELON_2024),
    )


@lru_cache(maxsize=1)
def compute_time_law() -> Law:
    """Return ``linear.compute_time``: how many steps the compute optimum takes."""
    return _law(
        "linear.compute_time",
        lambda model: derive_compute(model, C / N),
        ComputeLimited(),
        quantity="steps at the compute optimum of online SGD, C = N t",
        variable=C,
        reference=(PAQUETTE_2024, BORDELON_2024),
        growth=True,
    )


@lru_cache(maxsize=1)
def compute_model_law() -> Law:
    """Return ``linear.compute_model``: how many features the compute optimum has."""
    return _law(
        "linear.compute_model",
        lambda model: derive_compute(model, N),
        ComputeLimited(),
        quantity="features at the compute optimum of online SGD, C = N t",
        variable=C,
        reference=(PAQUETTE_2024, BORDELON_2024),
        growth=True,
    )


@lru_cache(maxsize=1)
def phase_boundaries_law() -> Law:
    """Return ``linear.phase_boundaries``: where the seven phases meet, with exponent and logarithm of the loss there."""
    return _law(
        "linear.phase_boundaries",
        derive_boundaries,
        ComputeLimited(),
        quantity="test loss at the compute optimum, where phases meet",
        variable=C,
        reference=(PAQUETTE_2024,),
    )
