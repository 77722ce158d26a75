"""The laws, built when they are asked for."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from ..asymptotics import RATIONAL
from ..building import laws_of
from ..formula import Law, Published
from ..linear import ModeLimited, derive_mode
from ..references import ATANASOV_2024, BAHRI_2021, SHARMA_2022, SPIGLER_2020
from ..symbols import P
from ._letters import DIMENSION, FEATURES, PARAMETERS, THETA
from .resolution import AnchorLimited, NearestNeighbor, derive_anchors, derive_distance
from .self_averaging import (
    FIXED_SAMPLES,
    VarianceLimited,
    WidthLimited,
    derive_variance,
    derive_width,
)

_build = laws_of("manifold", variable=P, reference=(BAHRI_2021,))


@lru_cache(maxsize=1)
def variance_limited_law() -> Law:
    r"""Return ``manifold.variance_limited``: :math:`L(P) - L(\infty) \sim P^{-1}`."""
    return _build(
        "variance_limited",
        "loss above its value at unlimited samples, where samples are plentiful",
        quantity="test loss above its value at unlimited samples",
        symbols={
            "N": "number of features, fixed",
            "L_inf": "test loss (with noise) at unlimited samples",
        },
        model=VarianceLimited(),
        derive=derive_variance,
    )


@lru_cache(maxsize=1)
def variance_limited_model_law() -> Law:
    r"""Return ``manifold.variance_limited_model``: :math:`L(N) - L(\infty) \sim N^{-1}` at P samples, :math:`N > P`."""
    return _build(
        "variance_limited_model",
        "loss above its value at unlimited features, where samples are fixed and features outnumber them",
        quantity="test loss above its value at unlimited features",
        variable=FEATURES,
        symbols={
            "P": "number of samples, fixed",
            "B_1": "noise and signal that P samples leave, sigma^2 + sum_k s_k (kappa/(lambda_k + kappa))^2, df_1(kappa) = P",
            "B_2": "sum_k s_k lambda_k kappa/(lambda_k + kappa)^2: with B_1, the loss of P features on unlimited samples",
        },
        reference=(BAHRI_2021, ATANASOV_2024),
        model=VarianceLimited(
            FIXED_SAMPLES,
            FEATURES,
            "N features fitted without ridge to P < N samples: deterministic equivalent of the linear model",
        ),
        derive=derive_variance,
    )


@lru_cache(maxsize=1)
def width_variance_law() -> Law:
    """Return ``manifold.width_variance``: fluctuations of a deep network fall as its number of parameters to the power -1/2."""
    return _build(
        "width_variance",
        "fluctuations of a deep network between initializations against its number of parameters",
        quantity="variance of the prediction between initializations",
        variable=PARAMETERS,
        symbols={"h": "number of matrices between hidden layers", "v": "variance at width one"},
        model=WidthLimited(),
        derive=derive_width,
    )


@lru_cache(maxsize=1)
def nearest_neighbor_law() -> Law:
    r"""Return ``manifold.nearest_neighbor``: :math:`E\,r = \Gamma(1 + 1/d) P^{-1/d}`."""
    return _build(
        "nearest_neighbor",
        "distance to the nearest of P samples on a d-dimensional manifold",
        quantity="mean distance to the nearest of P samples, where a ball of radius 1 has unit volume",
        symbols={"d": "dimension of the data manifold"},
        reference=(SPIGLER_2020, BAHRI_2021),
        model=NearestNeighbor(),
        derive=derive_distance,
    )


@lru_cache(maxsize=1)
def model_resolution_law() -> Law:
    r"""Return ``manifold.model_resolution``: :math:`L \sim N^{-q/d}`, by the argument of anchors."""
    return _build(
        "model_resolution",
        "loss of a model whose N parameters place as many pieces on a d-dimensional manifold, samples unlimited",
        quantity="test loss",
        variable=FEATURES,
        symbols={
            "d": "dimension of the data manifold",
            "q": "order of the local error: 1 for a Lipschitz loss, 2 for the square of a piecewise constant fit's error, 4 for "
            "that of a piecewise linear one",
            "A": "loss at distance 1 from an anchor, where a ball of radius 1 has unit volume",
        },
        reference=(BAHRI_2021, SHARMA_2022),
        standing="heuristic",
        model=AnchorLimited(),
        derive=derive_anchors,
    )


@lru_cache(maxsize=1)
def spectral_law() -> Law:
    r"""Return ``manifold.spectral``: a kernel of smoothness :math:`\theta` learns its like as :math:`P^{-\theta/d}`."""
    white = 1 + THETA / DIMENSION
    return _build(
        "spectral",
        "loss of a kernel that learns a target of its own smoothness on a d-dimensional manifold",
        symbols={
            "theta": "order of the non-analytic term |x - x'|^theta of the kernel, which is also that of the target",
            "d": "dimension of the data manifold",
        },
        reference=(BAHRI_2021, SPIGLER_2020),
        model=ModeLimited(
            resource=P,
            residual=RATIONAL(2, 2),
            variance=RATIONAL(0, 2),
            spectrum_exponent=white,
            signal_exponent=white,
            box={THETA: (1, 3), DIMENSION: (1, 4)},
        ),
        derive=derive_mode,
        published=Published(
            1 / DIMENSION,
            "a bound for Lipschitz targets, by the spacing of samples; smoother kernels and targets do better by the factor theta",
            BAHRI_2021.at("resolution-limited scaling"),
            point={"theta": sp.Integer(2), "d": sp.Integer(5)},
        ),
    )
