"""The laws of the lazy linear model that the package ships: of Gaussian features, or of features that act as if they were."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from ..asymptotics import RATIONAL
from ..building import laws_of
from ..formula import Law, Misprint, Published
from ..references import (
    ALI_2019,
    ATANASOV_2024,
    BORDELON_2024,
    CAPONNETTO_2007,
    KRAMP_2026,
    MALONEY_2022,
    PAQUETTE_2024,
    YAO_2007,
)
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
from .loss import JointlyLimited, derive_loss
from .ridge import SAMPLES, RidgeLimited, derive_ridge
from .stopping import StoppingLimited, derive_early_stopping

_SYMBOLS = {
    "alpha": "capacity: eigenvalues fall as k^-alpha",
    "beta": "source: signal power falls as k^-(alpha*beta + 1)",
}


_NOTE = 'A. Atanasov, note "Simple derivation of scaling law exponents in linear models"'

_build = laws_of("linear", symbols=_SYMBOLS)


@lru_cache(maxsize=1)
def time_law() -> Law:
    r"""Return ``linear.time``: :math:`L(t) \simeq \frac{\Gamma(\beta)}{\alpha}(2t)^{-\beta}` under gradient flow."""
    return _build(
        "time",
        "loss of the lazy linear model against training time, features and samples unlimited",
        derive=derive_time,
        model=TimeLimited(),
        variable=T,
        reference=(BORDELON_2024,),
        misprints=(
            Misprint(
                "flow-sign",
                "gradient flow of the population as dw/dt = -Sigma (w* - w)",
                "dw/dt = +Sigma (w* - w)",
                "the flow goes down the gradient of the loss, which is -Sigma (w* - w); with the printed sign every mode runs away from "
                "its target as exp(lambda_k t) and the loss grows",
                f"{_NOTE}, among the signs of its eqs. 5 and 9",
            ),
            Misprint(
                "modes-learned",
                "k^alpha for the modes that are learned by time t",
                "the modes k < t^(1/alpha)",
                "mode k is learned once lambda_k t > 1, that is k^alpha < t",
                _NOTE,
            ),
        ),
    )


@lru_cache(maxsize=1)
def data_law() -> Law:
    r"""Return ``linear.data``: :math:`L(P) \sim P^{-\alpha\min(\beta, 2)}` without ridge or noise, features unlimited."""
    model = ModeLimited(resource=P, residual=RATIONAL(2, 2), variance=RATIONAL(0, 2))
    return _build(
        "data",
        "loss of the lazy linear model against the number of samples, trained to "
        "convergence without ridge or noise",
        derive=derive_mode,
        model=model,
        variable=P,
        reference=(BORDELON_2024, CAPONNETTO_2007),
    )


@lru_cache(maxsize=1)
def model_law() -> Law:
    r"""Return ``linear.model``: :math:`L(N) \sim N^{-\alpha\min(\beta, 1)}`, samples and time unlimited."""
    return _build(
        "model",
        "loss of the lazy linear model against the number of random features, samples and "
        "time unlimited",
        derive=derive_mode,
        model=ModeLimited(resource=N, residual=RATIONAL(1, 1)),
        variable=N,
        reference=(MALONEY_2022, ATANASOV_2024),
        published=Published(
            sp.Min(2 * ALPHA, ALPHA * BETA),
            "printed with the exponent of the data law; but the optimal predictor on N random features is a projection, which enters "
            "the loss once (kappa/(lambda + kappa)), not squared as a ridge fit's bias does, so the first modes limit it at "
            "alpha, not 2*alpha, once beta > 1",
            BORDELON_2024.at("model bottleneck"),
            point={"alpha": sp.Rational(5, 2), "beta": sp.Rational(9, 5)},
        ),
    )


@lru_cache(maxsize=1)
def transient_law() -> Law:
    r"""Return ``linear.transient``: :math:`L(t, N) - L(t, \infty) \sim N^{-1} t^{-(\min(1, \beta) - 1/\alpha)}` before saturation."""
    return _build(
        "transient",
        "what a finite number of features adds to the loss of the lazy linear model "
        "before it saturates",
        derive=derive_transient,
        model=TransientLimited(),
        quantity="N (L(t, N) - L(t, inf))",
        variable=T,
        reference=(BORDELON_2024, PAQUETTE_2024),
        published=Published(
            1 - 1 / ALPHA,
            "printed for tasks with beta >= 1; for harder ones the modes at the edge of what is learned weigh more than the first modes",
            PAQUETTE_2024.at("the term F_ac"),
            point={"alpha": sp.Rational(3, 2), "beta": sp.S.Half},
        ),
    )


@lru_cache(maxsize=1)
def sgd_noise_law() -> Law:
    r"""Return ``linear.sgd_noise``: the noise of one-pass SGD decays as :math:`\tau^{-(2 - 1/\alpha)}`, :math:`\tau = \eta t`."""
    return _build(
        "sgd_noise",
        "how the noise that one-pass SGD feeds into the lazy linear model decays",
        derive=derive_time,
        model=TimeLimited(signal_exponent=2 * ALPHA),
        quantity="noise kernel of online SGD, in units of eta^2/B, at t = learning rate times steps",
        symbols={"alpha": _SYMBOLS["alpha"]},
        variable=T,
        reference=(PAQUETTE_2024,),
    )


@lru_cache(maxsize=1)
def optimal_ridge_law() -> Law:
    r"""Return ``linear.optimal_ridge``: :math:`L \sim (\sigma^2/P)^{m/(m+1)}`, :math:`m = \alpha\min(\beta, 2)`."""
    return _build(
        "optimal_ridge",
        "loss of the noisy lazy linear model at the best ridge, features unlimited",
        derive=derive_ridge,
        model=RidgeLimited(),
        quantity="test loss at the best ridge, X = samples / noise variance",
        variable=SAMPLES,
        reference=(CAPONNETTO_2007, ATANASOV_2024),
    )


@lru_cache(maxsize=1)
def early_stopping_law() -> Law:
    r"""Return ``linear.early_stopping``: :math:`L \sim (\sigma^2/P)^{\alpha\beta/(\alpha\beta + 1)}`, and the ratio to the best ridge."""
    return _build(
        "early_stopping",
        "loss of the noisy lazy linear model at the best time to stop, features unlimited",
        derive=derive_early_stopping,
        model=StoppingLimited(),
        quantity="test loss at the best time to stop, X = samples / noise variance",
        variable=SAMPLES,
        reference=(YAO_2007, ALI_2019, KRAMP_2026),
    )


@lru_cache(maxsize=1)
def loss_law() -> Law:
    r"""Return ``linear.loss``: all bottlenecks at once, and what they cost on the way; :math:`t^{-\beta}` where only time is short."""
    return _build(
        "loss",
        "loss of the lazy linear model with time, features and samples, or batches, limited at once: a sum of bottlenecks and transients",
        derive=derive_loss,
        model=JointlyLimited(),
        variable=T,
        reference=(BORDELON_2024, PAQUETTE_2024, ATANASOV_2024),
    )


@lru_cache(maxsize=1)
def compute_law() -> Law:
    r"""Return ``linear.compute``: the loss at the best model size for compute :math:`C = N t`, in seven phases."""
    return _build(
        "compute",
        "loss of the lazy linear model at the best model size for a given compute: seven phases",
        derive=derive_compute,
        model=ComputeLimited(),
        quantity="test loss at the compute optimum of online SGD, C = N t",
        variable=C,
        reference=(PAQUETTE_2024, BORDELON_2024),
        misprints=(
            Misprint(
                "compute-sign",
                "the loss at the compute optimum as C^(alpha*beta/(alpha + 1))",
                "C^(-alpha*beta/(alpha + 1)), for beta < 1",
                "the optimum is the least loss, and more compute cannot make it larger; for beta > 1 another balance decides",
                f"{_NOTE}, among the signs of its eqs. 5 and 9",
            ),
        ),
    )


@lru_cache(maxsize=1)
def compute_time_law() -> Law:
    """Return ``linear.compute_time``: how many steps the compute optimum takes."""
    return _build(
        "compute_time",
        "training steps at the compute optimum of the lazy linear model",
        derive=lambda model: derive_compute(model, C / N),
        model=ComputeLimited(),
        quantity="steps at the compute optimum of online SGD, C = N t",
        variable=C,
        reference=(PAQUETTE_2024, BORDELON_2024),
        growth=True,
    )


@lru_cache(maxsize=1)
def compute_model_law() -> Law:
    """Return ``linear.compute_model``: how many features the compute optimum has."""
    return _build(
        "compute_model",
        "features at the compute optimum of the lazy linear model",
        derive=lambda model: derive_compute(model, N),
        model=ComputeLimited(),
        quantity="features at the compute optimum of online SGD, C = N t",
        variable=C,
        reference=(PAQUETTE_2024, BORDELON_2024),
        growth=True,
    )


@lru_cache(maxsize=1)
def phase_boundaries_law() -> Law:
    """Return ``linear.phase_boundaries``: where the seven phases meet, with exponent and logarithm of the loss there."""
    return _build(
        "phase_boundaries",
        "where the compute-optimal phases of the lazy linear model meet, and the logarithms there",
        derive=derive_boundaries,
        model=ComputeLimited(),
        quantity="test loss at the compute optimum, where phases meet",
        variable=C,
        reference=(PAQUETTE_2024,),
    )
