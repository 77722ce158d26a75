"""Networks of three layers drawn from their posterior."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, choice, number, whole
from ....errors import refusal
from ._data import Reduced, checked, reduced, unit_vector
from ._layers import Layers, propagate
from ._network import ACTIVATIONS, component
from ._records import DeepSample
from ._sampler import planned, sample

Array = NDArray[np.float64]


def sample_deep(
    inputs: ArrayLike,
    labels: ArrayLike,
    *,
    neurons: Sequence[int],
    ridge: float,
    scale: float = 1.0,
    weight_variance: float = 1.0,
    middle_variance: float = 1.0,
    readout_variance: float = 1.0,
    activation: str = "erf",
    direction: ArrayLike | None = None,
    test_inputs: ArrayLike | None = None,
    test_labels: ArrayLike | None = None,
    chains: int = 4,
    draws: int = 500,
    warmup: int = 500,
    thinning: int = 1,
    duration: float = 1.5,
    acceptance: float = 0.8,
    planted: bool | int | None = 0,
    rng: np.random.Generator | int,
    on_failure: str = "raise",
) -> DeepSample:
    r"""Draw networks of three layers from their posterior, given a data set.

    .. math::

        f(x) = \sum_{c \le N_2} a_c\, \phi(h_c(x)), \qquad h_c(x) = \sum_{j \le N_1} v_{cj}\, \phi(w_j \cdot x),

        w_j \sim N\Big(0, \frac{\sigma_1^2}{d}\Big), \quad v_{cj} \sim N\Big(0, \frac{\sigma_2^2}{N_1}\Big), \quad
        a_c \sim N\Big(0, \frac{\sigma_a^2}{N_2\chi}\Big), \quad y_\mu = f(x_\mu) + N\Big(0, \frac{\kappa}{\chi}\Big)

    The readout is integrated out exactly; both hidden layers are sampled.

    Parameters
    ----------
    inputs : array_like, shape (P, d)
        Training points; P = 0 samples the prior.
    labels : array_like, shape (P,)
        Their labels y.
    neurons : pair of int
        :math:`N_1, N_2 \ge 1`.
    ridge : float
        :math:`\kappa > 0`, the variance of the noise times :math:`\chi`.
    scale : float
        :math:`\chi > 0`.
    weight_variance, middle_variance, readout_variance : float
        :math:`\sigma_1^2, \sigma_2^2, \sigma_a^2 > 0`.
    activation : {"erf", "linear"}
        :math:`\phi`, of both layers.
    direction : array_like, shape (d,), optional
        :math:`w_*` along which overlaps are recorded, normalized here; the first axis by default.
    test_inputs, test_labels : array_like, optional
        Points, shape (T, d), and labels, shape (T,), on which draws are tested.
    chains, draws, warmup, thinning, duration, acceptance, rng, on_failure
        As for `sample_posterior`.
    planted : bool or int, optional
        How many chains start planted, their first layer's weights along the direction three times as large as drawn from the prior;
        the others start cold, from the prior. True is all of them, None every other one.

    Returns
    -------
    DeepSample
        Overlaps of the first layer, linear parts of the middle one, energies and losses of every draw, with what tells whether the
        chains converged.

    Raises
    ------
    DomainError
        If an argument is out of range or shapes do not match.
    ConvergenceError
        If split R-hat exceeds 1.1 for the energy, the mean squared overlap, the mean squared linear part or the train loss, one of
        these has less than ten effective draws for each chain, or more than 1 % of the trajectories diverge; with the result
        attached.
    ResourceError
        If the result would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    A gradient takes :math:`P N_1 (d + N_2) + P N_2 \min(P, N_2)` operations, and as many error functions as there are
    activations. Of a linear network more points than dimensions are rotated onto d of them, once.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((60, 2))
    >>> found = sample_deep(x, x[:, 0], neurons=(6, 3), ridge=0.1, draws=200, warmup=300, rng=1)
    >>> bool(found.train_loss.mean() < 0.2), max(found.r_hat.values()) < 1.1
    (True, True)
    """
    x, y = checked(inputs, labels)
    if not isinstance(neurons, (tuple, list, np.ndarray)) or len(neurons) != 2:
        raise refusal("neurons", neurons, "must be a pair: neurons of the first and middle layer")
    first, middle = (whole("neurons", count) for count in neurons)
    plan = planned(
        chains=chains,
        draws=draws,
        warmup=warmup,
        thinning=thinning,
        duration=duration,
        acceptance=acceptance,
        planted=planted,
        on_failure=on_failure,
    )
    choice("activation", activation, ACTIVATIONS)
    dimension = x.shape[1]
    along = unit_vector(direction, dimension)
    test, wanted = checked(
        [] if test_inputs is None else test_inputs,
        [] if test_labels is None else test_labels,
        dimension,
        "test_",
    )
    unit = math.sqrt(number("weight_variance", weight_variance, low=0, strict=True) / dimension)
    between = math.sqrt(number("middle_variance", middle_variance, low=0, strict=True) / first)
    ridge = number("ridge", ridge, low=0, strict=True)
    scale = number("scale", scale, low=0, strict=True)
    width, weights = first + middle, float(first) * (dimension + middle)
    afford(
        plan.chains * plan.draws * (float(width) + middle + 4),
        "the chains",
        "use fewer chains, draws or neurons",
    )
    afford(
        4.0 * y.size * (width + dimension) + 2.0 * wanted.size * width + 10 * weights,
        "the network's answers",
        "use fewer samples or neurons",
    )
    data = (
        reduced(unit * x, y, ridge, scale)
        if activation == "linear"
        else Reduced(unit * x, y, None, 0.0)
    )
    network = Layers(
        data,
        (first, middle),
        between,
        ridge=ridge,
        scale=scale,
        readout_variance=number("readout_variance", readout_variance, low=0, strict=True),
        activation=activation,
        along=along,
    )
    answers, slopes = (
        [np.empty((wanted.size, count)) for count in (first, middle)] for _ in range(2)
    )
    square = float(wanted @ wanted)

    def observe(
        position: Array, stream: np.random.Generator
    ) -> tuple[dict[str, Array | float], Array]:
        lower, upper = network.split(position)
        lower = unit * lower
        overlaps = lower @ along
        readout, fitted = network.readout(position)
        linear = component(1, overlaps, np.sum(lower**2, axis=1), activation)
        found: dict[str, Array | float] = {
            "overlaps": overlaps,
            "linear_parts": between * (upper @ linear),
            "middle_norms": between * np.linalg.norm(upper, axis=1),
        }
        if y.size:
            found["train_loss"] = float(np.mean((fitted - y) ** 2))
        if wanted.size:
            outputs = (
                propagate(test, (lower, upper), between, activation, answers, slopes) @ readout
            )
            found["test_loss"] = float(np.sum((outputs - wanted) ** 2)) / square
            found["alignment"] = float(outputs @ wanted) / square
        return found, fitted

    def scalars(kept: Mapping[str, Array]) -> dict[str, Array]:
        return {
            "squared_overlap": np.mean(kept["overlaps"] ** 2, axis=-1),
            "squared_linear_part": np.mean(kept["linear_parts"] ** 2, axis=-1),
            "train_loss": kept["train_loss"],
        }

    return sample(DeepSample, "sample_deep", network, observe, scalars, plan, rng)
