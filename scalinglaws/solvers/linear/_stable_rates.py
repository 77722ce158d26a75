"""Learning rates at which gradient descent on a fixed set of samples is stable."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...arguments import Array
from ...errors import DomainError
from ..equivalents.edges import Resolvent
from ..spectra import Spectrum


def stable_edges(
    spectrum: Spectrum,
    features: Array,
    samples: Array,
    learning_rate: Array,
    momentum: Array,
    decay: Array,
    apart: NDArray[np.bool_],
) -> Array:
    """Return the largest eigenvalues; refuse unstable learning rates."""
    edge = Resolvent(spectrum.modes())
    known: dict[tuple[float, float], float] = {}
    sizes = list(zip(features.tolist(), samples.tolist(), strict=True))
    tops = np.empty(len(sizes))
    for i, size in enumerate(sizes):
        if size not in known:
            known[size] = edge.top(*size)
        tops[i] = known[size]
    # coupled decay is an eigenvalue more; decoupled, it shortens what momentum carries on too
    own = np.where(apart, (1 + momentum) * decay, decay)
    unstable = learning_rate * (tops + own) >= 2 * (1 + momentum)
    unstable |= apart & (learning_rate * decay >= 1)
    if unstable.any():
        i = int(np.flatnonzero(unstable)[0])
        bound = 2 * (1 + momentum[i]) / (tops[i] + own[i])
        if apart[i]:
            bound = min(bound, 1 / decay[i])
        shrunk = f" and weight_decay = {decay[i]}" if decay[i] > 0 else ""
        raise DomainError(
            f"learning_rate = {learning_rate[i]} is unstable with features = {features[i]}, samples = {samples[i]} and momentum = "
            f"{momentum[i]}{shrunk}; it must be below {bound:.6g}",
            argument="learning_rate",
            value=float(learning_rate[i]),
        )
    return tops
