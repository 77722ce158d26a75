"""Steps of linear networks of two layers with all of their weights, and what becomes of the weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import choice, generator, number, ordered, whole
from ....equality import by_value
from ....errors import ResourceError, refusal
from ....reprs import short_repr
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import afford_draw, fill, listed, table

Array = NDArray[np.float64]

_TRAINED = ("projected", "inner", "layer")
_MOST_WORK = 1e12  # multiplications with additions: ten minutes


@short_repr
@dataclass(frozen=True)
@by_value
class SimulatedLayers:
    r"""Loss and weights of independent draws.

    Attributes
    ----------
    test_loss : ndarray, shape (draws, T), or (draws,) for a single number of steps
        Population loss.
    readout : ndarray, same shape
        :math:`\gamma |w|^2/N`.
    gain : ndarray, same shape
        How much :math:`|A|^2/N` has grown; where :math:`A = VA_0` with features that stand still, :math:`|V|^2`. In flow it
        equals `readout`: the layers stay balanced.
    spike, edge : ndarray, same shape
        The largest and the second largest eigenvalue of :math:`\frac1N A A^\top`.
    """

    test_loss: Array
    readout: Array
    gain: Array
    spike: Array
    edge: Array


def layer_descent(
    steps: ArrayLike,
    spectrum: Spectrum,
    *,
    features: int,
    richness: float,
    learning_rate: float,
    trained: str = "layer",
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedLayers:
    r"""Draw linear networks of two layers and take steps with all of their weights.

    The student is :math:`f = \frac1N w\cdot A\psi` with an N x M matrix that starts at independent standard normal entries
    :math:`A_0`. With :math:`v^1 = \Lambda (w^* - \frac1N A^\top w)` every step is :math:`w \leftarrow w + \eta A v^1` and one of

    .. math:: A \leftarrow A + \eta\gamma\, w\,(v^1)^\top, \qquad
              A \leftarrow A + \eta\gamma\, w\,(\tfrac1N A_0^\top A_0 v^1)^\top, \qquad
              V \leftarrow V + \tfrac{\eta\gamma}N w\,(A_0 v^1)^\top, \quad A = V A_0 .

    Parameters
    ----------
    steps : array_like of int, shape () or (T,)
        Numbers of steps after which something is recorded, >= 0 and non-decreasing.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    features : int
        N >= 1.
    richness : float
        :math:`\gamma \ge 0`, the learning rate of A over that of w.
    learning_rate : float
        :math:`\eta > 0`.
    trained : {"layer", "projected", "inner"}
        The first rule is gradient descent on w and A, the second is projected to what :math:`A_0` shows, the third is gradient
        descent on w and N x N weights V behind features :math:`A_0` that stand still.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for, and for all three rules.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.

    Returns
    -------
    SimulatedLayers
        Loss, readout, and what has become of the first layer.

    Raises
    ------
    DomainError
        If an argument is out of range, steps decrease, the spectrum is infinite, or numbers overflow.
    ResourceError
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default) or about ten minutes.

    Notes
    -----
    No rearrangement: matrices as they are written, 3 to 5 products of a matrix and a vector per step. `gradient_descent` follows
    the second rule in fewer dimensions. Eigenvalues of :math:`\frac1N AA^\top` are taken when recorded, O(N M min(N, M)).

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858,
       appendices on projected gradient descent and on networks without projection.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> given = {"features": 30, "richness": 1.0, "learning_rate": 0.1}
    >>> one, other = (layer_descent(50, PowerLawSpectrum(1.5, 0.5, 20), trained=rule, **given) for rule in ("projected", "inner"))
    >>> bool(abs(one.test_loss / other.test_loss - 1) < 1e-12)
    True
    """
    one_spectrum(spectrum, steps=steps)
    counts = ordered("steps", steps, whole=True, infinite=False, single_row=True).astype(np.int64)
    width, draws = whole("features", features), whole("draws", draws)
    richness = number("richness", richness, low=0)
    rate = number("learning_rate", learning_rate, low=0, strict=True)
    trained = choice("trained", trained, _TRAINED)
    eigenvalues, signal = listed(spectrum)
    flat = counts.reshape(-1)
    inner = float(width) ** 2 if trained == "inner" else 0.0
    entries = 4.0 * width * eigenvalues.size + 2.0 * inner + 2.0 * eigenvalues.size**2
    afford_draw(entries)
    if float(flat[-1]) * entries > _MOST_WORK:
        raise ResourceError(
            f"{flat[-1]} steps of {entries:.1e} operations are too many; take fewer, or use fewer modes or features"
        )
    target = np.sqrt(signal / eigenvalues)
    found = table(5, draws, flat.size)
    source = generator(rng)
    for i in range(draws):
        start = np.empty((width, eigenvalues.size))
        fill(source.spawn(1)[0], start)
        failed = _descend(flat, eigenvalues, target, start, (rate, richness), trained, found[:, i])
        if failed >= 0:
            raise refusal(
                "learning_rate",
                rate,
                f"is too large: draw {i} diverges and overflows at step {failed}",
            )
    return SimulatedLayers(*found.reshape(5, draws, *counts.shape))


def _descend(
    counts: NDArray[np.int64],
    eigenvalues: Array,
    target: Array,
    start: Array,
    rates: tuple[float, float],
    trained: str,
    found: Array,
) -> int:
    """Train one network, filling in what is found; return the step at which it overflows, or -1."""
    width = start.shape[0]
    rate, richness = rates
    readout, layer = np.zeros(width), start.copy()
    behind = np.eye(width) if trained == "inner" else np.empty((0, 0))
    covered = _square_root_of_inverse(start) if trained == "projected" else np.empty((0, 0))
    first = float(width) if trained == "inner" else _size(layer, covered)
    step = 0
    with np.errstate(all="ignore"):
        for record, count in enumerate(counts.tolist()):
            while step < count:
                if trained == "inner":
                    pull = eigenvalues * (target - start.T @ (behind.T @ readout) / width)
                    shown = start @ pull
                    moved = behind @ shown
                    behind += np.outer(rate * richness / width * readout, shown)
                else:
                    pull = eigenvalues * (target - layer.T @ readout / width)
                    moved = layer @ pull
                    seen = start.T @ (start @ pull) / width if trained == "projected" else pull
                    layer += np.outer(rate * richness * readout, seen)
                readout = readout + rate * moved
                step += 1
                if not np.dot(readout, readout) < 1e280:
                    return step
            if trained == "inner":
                layer = behind @ start
            error = target - layer.T @ readout / width
            size = float(np.sum(behind**2)) if trained == "inner" else _size(layer, covered)
            largest = np.linalg.svd(layer, compute_uv=False)[:2] ** 2 / width
            found[:, record] = (
                np.sum(eigenvalues * error**2),
                richness * (readout @ readout) / width,
                size - first,
                largest[0],
                largest[1] if largest.size > 1 else 0.0,
            )
            if not np.all(np.isfinite(found[:, record])):
                return step
    return -1


def _square_root_of_inverse(start: Array) -> Array:
    r"""Return a matrix whose square is the pseudoinverse of :math:`\frac1N A_0^\top A_0`."""
    _, values, right = np.linalg.svd(start / np.sqrt(start.shape[0]), full_matrices=False)
    return np.asarray((right.T / values) @ right)


def _size(layer: Array, covered: Array) -> float:
    """Return the squared length of a layer over N, or of what stands before the first one."""
    shown = layer @ covered if covered.size else layer
    return float(np.sum(shown**2) / layer.shape[0])
