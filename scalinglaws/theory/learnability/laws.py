"""The laws of lazy learnability that the package ships."""

from __future__ import annotations

from functools import lru_cache

from ..building import laws_of
from ..formula import Law, Published
from ..references import ATANASOV_2024, RINGEL_2025, RUBIN_2025
from ..symbols import ALPHA, P
from ._letters import MODE
from .bound import ModeBound, derive_mode_bound
from .half import derive_half
from .mode import RidgedSpectrum, derive_learnability

TALK = RUBIN_2025.at("as presented in Z. Ringel's talk on patterns of feature learning")
_ALPHA = "spectral decay: eigenvalues of the kernel fall as k^-(1 + alpha)"

_build = laws_of("learnability", reference=(RINGEL_2025, ATANASOV_2024), task=False)


@lru_cache(maxsize=1)
def mode_law() -> Law:
    r"""Return ``learnability.mode``: :math:`1 - \mathcal L_k \sim \kappa/(P\lambda_k)`, 1 at fixed ridge, :math:`1 + \alpha` without."""
    return _build(
        "mode",
        "what a lazy network leaves of one mode of its kernel against the number of samples, the ridge fixed, falling or none",
        quantity="1 - L_k, the share of mode k that is not learned",
        variable=P,
        symbols={
            "alpha": _ALPHA,
            "rho": "the ridge on K(D, D), without 1/P, falls as s P^-rho: 0 where it is fixed, above alpha where it does not matter",
            "s": "the ridge, or its amplitude",
            "k": "number of the mode",
        },
        model=RidgedSpectrum(),
        derive=derive_learnability,
        standing="asymptotic",
    )


@lru_cache(maxsize=1)
def half_law() -> Law:
    r"""Return ``learnability.half``: :math:`P_{1/2}(k) = \sigma^2 k^{1+\alpha} + c k`."""
    return _build(
        "half",
        "samples by which a lazy network has learned half of mode k of its kernel: the ridge over the eigenvalue, and the modes before it",
        quantity="samples at which half of mode k is learned",
        variable=MODE,
        growth=True,
        symbols={
            "alpha": _ALPHA,
            "rho": "the ridge on K(D, D), without 1/P, compared with mode k as s k^-rho: 0 where it is fixed, above alpha where it does "
            "not matter, alpha where both count",
            "s": "the ridge, or its amplitude",
        },
        model=RidgedSpectrum(),
        derive=derive_half,
        standing="asymptotic",
        published=Published(
            1 + ALPHA,
            "the cost 1/lambda_k of aligning the process, read as samples; that is the share of the ridge, and in units of it. Without "
            "ridge a mode is learned once the modes before it are, P = c k",
            TALK,
            point={"alpha": 1, "rho": 2},
        ),
    )


@lru_cache(maxsize=1)
def bound_law() -> Law:
    r"""Return ``learnability.bound``: :math:`P_* \ge \sigma^2 a^2/[\lambda_k(\mathrm{Tr} K + \langle y^2\rangle)]`."""
    return _build(
        "bound",
        "samples below which no Gaussian process is aligned with mode k of its kernel, whatever the data: a theorem, for data whose "
        "averages of K and y^2 are those of the population",
        quantity="samples that alignment with mode k needs at least",
        variable=MODE,
        growth=True,
        symbols={
            "alpha": _ALPHA,
            "a": "alignment with the normalized mode that is asked for",
            "sigma2": "the ridge: variance of the likelihood",
            "y2": "mean square of the target",
        },
        reference=(RUBIN_2025, RINGEL_2025),
        model=ModeBound(),
        derive=derive_mode_bound,
        standing="exact",
    )
