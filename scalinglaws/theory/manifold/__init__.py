r"""Laws of data manifolds: what resolution, dimension and self-averaging say about exponents.

Two mechanisms, both without feature learning. *Resolution-limited*: P points, or N pieces of a model, on a d-dimensional
manifold are spaced :math:`P^{-1/d}` or :math:`N^{-1/d}`, and a kernel of smoothness :math:`\theta` has the spectrum
:math:`k^{-(1+\theta/d)}`. *Variance-limited*: where one of the two is plentiful and the other fixed, the loss is smooth in the
inverse of the plentiful one.
"""

from ._letters import DEPTH, DIMENSION, FEATURES, ORDER, PARAMETERS, THETA, WIDTH
from .laws import (
    model_resolution_law,
    nearest_neighbor_law,
    spectral_law,
    variance_limited_law,
    variance_limited_model_law,
    width_variance_law,
)
from .resolution import AnchorLimited, NearestNeighbor, derive_anchors, derive_distance
from .self_averaging import (
    FIXED_SAMPLES,
    VarianceLimited,
    WidthLimited,
    derive_variance,
    derive_width,
)

__all__ = [
    "DEPTH",
    "DIMENSION",
    "FEATURES",
    "FIXED_SAMPLES",
    "ORDER",
    "PARAMETERS",
    "THETA",
    "WIDTH",
    "AnchorLimited",
    "NearestNeighbor",
    "VarianceLimited",
    "WidthLimited",
    "derive_anchors",
    "derive_distance",
    "derive_variance",
    "derive_width",
    "model_resolution_law",
    "nearest_neighbor_law",
    "spectral_law",
    "variance_limited_law",
    "variance_limited_model_law",
    "width_variance_law",
]
