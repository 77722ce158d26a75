"""One softmax attention head on sequences of independent tokens: how much of a target that compares positions its output has."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, flag, generator, one_row, whole

Array = NDArray[np.float64]


def head_overlap(
    coupling: ArrayLike,
    length: int,
    *,
    whole_product: bool = False,
    draws: int,
    rng: np.random.Generator | int,
) -> Array:
    r"""Draw sequences of tokens, let a softmax head read them, and multiply its output by a cubic target.

    .. math::

        f = \frac{1}{\sqrt L} \sum_{ab} p_{ab}\, x^b_3, \qquad p_{ab} = \frac{e^{\epsilon x^a_1 x^b_2}}{\sum_c e^{\epsilon x^a_1 x^c_2}},
        \qquad y = \frac1L \sum_{ab} x^a_1 x^b_2 x^b_3

    Parameters
    ----------
    coupling : array_like, shape (C,)
        :math:`\epsilon`, the element of the scores' matrix that couples the two tokens; the same sequences are read with each.
    length : int
        L >= 1 tokens.
    whole_product : bool
        Whether to return the product itself. By default what averages to zero exactly is left out of it: :math:`x_3` is averaged over,
        and the position a of the target is that of the head, since the others' scores do not depend on it.
    draws : int
        Sequences.
    rng : Generator or int
        Source of randomness; each sequence takes a stream spawned from it.

    Returns
    -------
    ndarray, shape (draws, C)
        :math:`\sqrt L\, f y` of each sequence, whose mean is the overlap :math:`h_L(\epsilon)`.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If a sequence or the results would need more than the memory budget.

    Notes
    -----
    :math:`C L^2` exponentials per sequence.

    Examples
    --------
    >>> bool(abs(head_overlap([1.0], 64, draws=200, rng=0).mean() - 0.884) < 0.06)
    True
    """
    strengths = one_row("coupling", coupling)
    size, count = whole("length", length), whole("draws", draws)
    entire = flag("whole_product", whole_product)
    afford(3.0 * float(size) ** 2, "one sequence", "use a smaller length")
    afford(float(count) * strengths.size, "the results", "use fewer draws or couplings")
    found = np.empty((count, strengths.size))
    for i, stream in enumerate(generator(rng).spawn(count)):
        x = stream.standard_normal((3, size))
        for j, strength in enumerate(strengths.tolist()):
            scores = strength * np.multiply.outer(x[0], x[1])
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            weights /= weights.sum(axis=1, keepdims=True)
            if entire:
                output = float(np.sum(weights @ x[2])) / math.sqrt(size)
                target = float(x[0].sum() * (x[1] @ x[2])) / size
                found[i, j] = math.sqrt(size) * output * target
            else:
                found[i, j] = float(x[0] @ (weights @ x[1])) / size
    return found
