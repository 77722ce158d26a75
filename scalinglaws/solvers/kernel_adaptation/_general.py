r"""Adapted kernels of all layers of a network on a data set."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import afford, choice, number, numbers, whole, whole_numbers
from ...errors import ExtrapolationWarning, refusal
from ...results import Diagnostics, Result, Status, judged
from .._blas import one_thread
from .._data import data_rows, data_values
from ._activation_kernels import ACTIVATIONS, erf, erf_across, erf_own
from ._descent import Descent, anneal, descend
from ._free_energy import Problem, evaluate, residual

Array = NDArray[np.float64]

_METHOD = "L-BFGS in coordinates in which every prior is the unit matrix"
_JITTER = 1e-8  # of the mean diagonal entry of a prior at infinite width
_SAME = 1e-6  # starts agree up to this difference of free energies, relative to their size,
_ALIKE = 1e-3  # and this difference of means, relative to the largest target
_STALLED = 1e-3  # residual at which a free energy that no longer falls is worth a warning rather than an error
_MARGIN = 0.03  # gradients are solved for more closely than the equations, whose residual they bound up to a factor
_SMALL_SCALE = 10.0
_MOST_STEPS = 10_000
_PSEUDO = 1e-8  # singular values of the inputs below are no part of a linear function: the errors of both sides meet here
_LARGEST = {"erf": 1e8, "linear": 1e100}
_SMALLEST = 1e-100


@dataclass(frozen=True)
class AdaptedKernels(Result):
    r"""Kernels of a network that has learned a data set.

    Attributes
    ----------
    mean : ndarray, shape (n,) or (n, m)
        :math:`\bar f = Q_f(Q_f + \kappa)^{-1}y`, of the shape of the targets.
    free_energy : float
        F at the minimum.
    nngp_mean : ndarray, shape (n,) or (n, m)
        The mean with kernels that do not adapt, those of infinite width.
    kernels : tuple of ndarray, shape (n, n)
        :math:`K^{(l)}`, of the pre-activations of each hidden layer.
    output_kernel : ndarray, shape (n, n)
        :math:`Q_f`, the adapted kernel of the outputs.
    weight_covariance : ndarray, shape (d, d)
        :math:`\Sigma`, of the weights of one neuron of the first layer.
    divergences : ndarray, shape (H,)
        :math:`D` of each layer, for one neuron: how far it has left its prior.
    start_free_energies : ndarray
        Where the descents ended, from the kernels of infinite width and (unless left out) along rising scales.
    starts_agree : bool
        Whether they ended at one minimum.
    cautions : tuple of str
        Why a finite network may do something else; empty if no reason is known.
    inputs : ndarray, shape (n, d)
    targets : ndarray, shape (n,) or (n, m)
    layers : ndarray, shape (H,)
        Widths.
    activation : str
    scale : float
    ridge : float
    readout_variance : float
    weight_variance : ndarray, shape (H,)
    diagnostics : Diagnostics
        `residual` is that of the equations of all layers; `iterations` are steps of all descents.
    """

    mean: Array
    free_energy: float
    nngp_mean: Array
    kernels: tuple[Array, ...]
    output_kernel: Array
    weight_covariance: Array
    divergences: Array
    start_free_energies: Array
    starts_agree: bool
    cautions: tuple[str, ...]
    inputs: Array
    targets: Array
    layers: Array
    activation: str
    scale: float
    ridge: float
    readout_variance: float
    weight_variance: Array
    diagnostics: Diagnostics

    def predict(self, X_new: ArrayLike) -> Array:
        r"""Return the mean predictor of the adapted network at new inputs.

        A new input is one that was measured with infinite noise: it changes no kernel among the others, and its own rows follow
        layer by layer, with pre-activations that depend on those of the others as they do under the prior,

        .. math:: K_{*\cdot} = Q_{*\cdot}Q^{-1}K, \qquad K_{**} = Q_{**} - Q_{*\cdot}(Q^{-1} - Q^{-1}KQ^{-1})Q_{\cdot *},

        and :math:`K^{(1)}_{*\cdot} = x_*\Sigma X^T`. Then :math:`\bar f(x_*) = Q_{f,*\cdot}(Q_f + \kappa)^{-1}y`.

        Parameters
        ----------
        X_new : array_like, shape (k, d)
            New inputs, one in each row.

        Returns
        -------
        ndarray, shape (k,) or (k, m)

        Raises
        ------
        DomainError
            If `X_new` is no matrix of finite numbers with d columns.
        ResourceError
            If the memory budget does not hold the kernels.

        Notes
        -----
        :math:`O(H n^2 (n + k))`. At the inputs themselves it returns `mean`, up to the jitter of `adapt`.
        """
        new = data_rows("X_new", X_new)
        count, dimension = self.inputs.shape
        if new.shape[1] != dimension:
            complaint = f"must have rows as long as those of X, {dimension}; got {new.shape[1]}"
            raise refusal("X_new", X_new, complaint, shown=False)
        afford(
            6.0 * count * (count + len(new)) + new.size,
            f"the kernels of {len(new)} new inputs",
            "give them in portions",
        )
        variance = self.weight_variance[0] / dimension
        with np.errstate(over="ignore"):
            largest = float(np.max(np.einsum("ij,ij->i", new, new))) * variance
        if not largest <= _LARGEST[self.activation]:
            raise _extreme("X_new", self.activation)
        return _predicted(self, new)


def adapt(
    X: ArrayLike,
    y: ArrayLike,
    *,
    layers: ArrayLike,
    activation: str,
    scale: float,
    ridge: float,
    readout_variance: float = 1.0,
    weight_variance: ArrayLike = 1.0,
    annealing_steps: int = 8,
    tolerance: float = 1e-6,
    max_iterations: int = 2000,
    on_failure: str = "raise",
) -> AdaptedKernels:
    r"""Adapt the kernels of a Bayesian network to a data set, by a Gaussian ansatz for the pre-activations of all layers.

    Hidden layers :math:`l = 1..H` of widths :math:`N_l` have pre-activations of covariance :math:`K^{(l)}` on the n inputs;
    :math:`\Sigma` is the covariance of the first layer's weights, :math:`K^{(1)} = X\Sigma X^T`, and

    .. math:: Q^{(l)} = \sigma_l^2\mathcal A(K^{(l-1)}), \quad Q_f = \sigma_a^2\mathcal A(K^{(H)}), \quad
              \mathcal A(K) = E_{h\sim N(0, K)}[\phi\phi^T].

    The self-consistent equations of kernel adaptation,

    .. math:: [K^{(l)}]^{-1} = [Q^{(l)}]^{-1} + \tfrac2{N_l}g_l, \qquad
              \Sigma^{-1} = \tfrac d{\sigma_1^2} + \tfrac2{N_1}X^Tg_1X,

    with :math:`g_l` the derivative that reaches :math:`K^{(l)}` from above, are those of a stationary point of

    .. math:: F = N_1D(\Sigma\|\tfrac{\sigma_1^2}d) + \sum_{l=2}^H N_lD(K^{(l)}\|Q^{(l)})
              + \frac\chi2y^T(Q_f + \kappa)^{-1}y + \frac12\log\det(Q_f + \kappa), \qquad
              D(K\|Q) = \tfrac12[\mathrm{Tr}\,Q^{-1}K - n - \log\det Q^{-1}K],

    which is minimized. Several columns of targets have independent readouts: their data terms add up.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one in each row; there are no biases.
    y : array_like, shape (n,) or (n, m)
        Targets.
    layers : array_like of int, shape (H,)
        :math:`N_l \ge 1`, widths of the hidden layers.
    activation : str
        ``"erf"`` or ``"linear"``.
    scale : float
        :math:`\chi > 0`: readout weights have the variance :math:`\sigma_a^2/(N_H\chi)`, the likelihood :math:`\kappa/\chi`; 1 is
        standard, :math:`\chi \sim N` mean-field scaling.
    ridge : float
        :math:`\kappa > 0`, added to the output kernel.
    readout_variance : float
        :math:`\sigma_a^2 > 0`.
    weight_variance : array_like
        :math:`\sigma_l^2 > 0`, over the fan-in; one for all hidden layers, or one for each.
    annealing_steps : int
        Steps of the scale from 0.001 to `scale`, geometric, of the second descent, at most 10000; with 0 there is none.
    tolerance : float
        Of the residual of the equations: of :math:`L^T(T - K^{-1})L`, :math:`K = LL^T`, T the right-hand side.
    max_iterations : int
        Steps of one descent.
    on_failure : str
        ``"raise"``, or ``"return"`` for the last iterate.

    Returns
    -------
    AdaptedKernels

    Raises
    ------
    DomainError
        If an argument is out of range or of a wrong shape, or the ridge is too small for the kernel of these inputs to be inverted.
    ConvergenceError
        If the residual stays above 0.001; the result is attached.
    ResourceError
        If the memory budget does not hold the matrices.

    Warns
    -----
    AccuracyWarning
        If rounding keeps the residual above `tolerance`.
    ExtrapolationWarning
        For each of ``cautions``: descents that end at different minima, a scale of order one.

    Notes
    -----
    L-BFGS with the exact gradient, on lower triangles C with :math:`K = R C C^TR^T`, R the Cholesky factor of the prior as the layers
    below have made it: divergences are then quadratic up to a logarithm and do not couple, and nearly singular priors do no harm.
    The descent starts from the kernels of infinite width, and again along rising scales; the lower free energy is kept. The ansatz
    is not convex: if the two differ, `starts_agree` is False, and `cautions` says so. :math:`O(Hn^3)` for a step; inputs of more
    dimensions than rows cost nothing more. Linear layers work in the span of the inputs, where more inputs than dimensions make nothing
    singular. To priors above the first layer of error functions, 1e-8 of their mean diagonal is added.

    Residuals of 1e-6 leave free energies right to 1e-9 and means to 1e-7, relative to their size, against the equations; these are
    exact where all :math:`N_l, \chi \to \infty`, with errors of order 1/N for a linear layer. At :math:`\chi` of order one the kernels of
    infinite width may be nearer to the truth than the adapted ones.

    **What a Gaussian ansatz cannot show:** distributions with several modes, which specialized neurons have (`two_layer` has them for one
    layer), and with them the transition of a network with three layers, in which the middle layer's law has two modes: it is out of
    scope here. Jumps of this ansatz between several minima are its own.

    References
    ----------
    .. [1] I. Seroussi, G. Naveh, Z. Ringel, "Separation of scales and a thermodynamic description of feature learning in some CNNs",
           Nature Communications 14, 908 (2023).
    .. [2] N. Rubin, I. Seroussi, Z. Ringel, "Grokking as a first order phase transition in two layer networks", arXiv:2310.03789.
    .. [3] N. Rubin, K. Fischer, J. Lindner, D. Dahmen, I. Seroussi, Z. Ringel, M. Krämer, M. Helias, "From kernels to features: a
           multi-scale adaptive theory of feature learning", arXiv:2502.03210.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((30, 3))
    >>> found = adapt(X, X[:, 0], layers=[100], activation="erf", scale=100.0, ridge=0.1)
    >>> print(np.diag(3 * found.weight_covariance).round(2))  # what the target does not depend on fades
    [0.87 0.35 0.29]
    >>> print(found.predict([[1.0, 0.0, 0.0]]).round(2))
    [1.17]
    """
    inputs = data_rows("X", X)
    targets = data_values("y", y, len(inputs), columns=True)
    given = whole_numbers("layers", layers)
    if given.ndim != 1 or given.size == 0:
        raise refusal("layers", layers, "must be a row of widths, one for each hidden layer")
    widths = tuple(map(float, given))
    activation = choice("activation", activation, ACTIVATIONS)
    scale = number("scale", scale, low=0, strict=True)
    ridge = number("ridge", ridge, low=0, strict=True)
    readout_variance = number("readout_variance", readout_variance, low=0, strict=True)
    variances = _variances(weight_variance, len(widths))
    annealing_steps = whole("annealing_steps", annealing_steps, low=0, high=_MOST_STEPS)
    tolerance = number("tolerance", tolerance, low=0, strict=True)
    max_iterations = whole("max_iterations", max_iterations)
    on_failure = choice("on_failure", on_failure, ("raise", "return"))
    result = _adapted(
        inputs,
        targets,
        widths,
        activation,
        scale,
        ridge,
        readout_variance,
        variances,
        annealing_steps,
        tolerance,
        max_iterations,
    )
    judged("adapt", result, result.diagnostics, on_failure)
    for caution in result.cautions:
        warnings.warn(f"adapt: {caution}", ExtrapolationWarning, stacklevel=2)
    return result


@one_thread
def _adapted(
    inputs: Array,
    targets: Array,
    widths: tuple[float, ...],
    activation: str,
    scale: float,
    ridge: float,
    readout_variance: float,
    variances: Array,
    annealing_steps: int,
    tolerance: float,
    max_iterations: int,
) -> AdaptedKernels:
    count, dimension = inputs.shape
    layers = len(widths)
    afford(
        (45.0 * layers + 10.0) * count**2 + 3.0 * inputs.size + 2.0 * dimension**2,
        f"{layers} kernels of {count} inputs of dimension {dimension}, and the memory of the descent",
        "use fewer inputs",
    )
    span, coordinates = _span(inputs, activation, variances)
    columns = targets.reshape(count, -1)
    problem = Problem(
        inputs=coordinates,
        targets=columns,
        layers=widths,
        activation=activation,
        ridge=np.full(count, ridge),
        readout_variance=readout_variance,
        weight_variances=tuple(map(float, variances)),
        jitter=_jitter(activation, coordinates, variances),
    )
    triangles = [np.asfortranarray(np.eye(size)) for size in problem.sizes]
    with np.errstate(all="ignore"):
        infinite = evaluate(problem, triangles, scale)
    if infinite is None:
        complaint = "is too small for the kernel of these inputs, which is singular in floats; use a larger one"
        raise refusal("ridge", ridge, complaint)
    if not (math.isfinite(infinite.free_energy) and np.all(np.isfinite(infinite.gradients[0]))):
        complaint = "is too large for these targets and this ridge: the free energy is no float"
        raise refusal("scale", scale, complaint)

    runs = [
        descend(problem, scale, None, tolerance=_MARGIN * tolerance, max_iterations=max_iterations)
    ]
    if annealing_steps:
        runs.append(
            anneal(
                problem,
                scale,
                steps=annealing_steps,
                tolerance=_MARGIN * tolerance,
                max_iterations=max_iterations,
            )
        )
    ends = [run for run in runs if run is not None]
    best = min(ends, key=lambda run: run.state.free_energy)
    means = [columns - ridge * run.state.weights for run in ends]
    agree = _agree(ends, means, columns)
    violated = residual(problem, best.state, scale)
    steps = sum(run.iterations for run in ends)
    if violated <= tolerance:
        status = Status.CONVERGED
    elif violated <= _STALLED and best.iterations < max_iterations:
        status = Status.LOST_ACCURACY
    else:
        status = Status.MAX_ITERATIONS
    change = best.state.kernels[0] - np.eye(problem.sizes[0])
    unit = variances[0] / dimension
    kernels = list(best.state.kernels)
    if activation == "erf":
        kernels[0] = best.state.lifted
    else:
        kernels = [coordinates @ kernel @ coordinates.T for kernel in kernels]
    return AdaptedKernels(
        mean=(columns - ridge * best.state.weights).reshape(targets.shape),
        free_energy=best.state.free_energy,
        nngp_mean=(columns - ridge * infinite.weights).reshape(targets.shape),
        kernels=tuple(kernels),
        output_kernel=best.state.output_kernel,
        weight_covariance=unit * (np.eye(dimension) + span @ change @ span.T),
        divergences=best.state.divergences,
        start_free_energies=np.array([run.state.free_energy for run in ends]),
        starts_agree=agree,
        cautions=_cautions(ends, agree, scale),
        inputs=inputs,
        targets=targets,
        layers=np.array(widths),
        activation=activation,
        scale=scale,
        ridge=ridge,
        readout_variance=readout_variance,
        weight_variance=variances,
        diagnostics=Diagnostics(status, violated, steps, _METHOD, violated),
    )


def _predicted(found: AdaptedKernels, new: Array) -> Array:
    from scipy.linalg import cholesky, solve, solve_triangular

    inputs, columns = found.inputs, found.targets.reshape(len(found.targets), -1)
    shape = (len(new), *found.targets.shape[1:])
    if found.activation == "linear":  # a linear function, of the span of the inputs
        return (new @ (np.linalg.pinv(inputs, rcond=_PSEUDO) @ found.mean)).reshape(shape)
    variances = found.weight_variance
    jitter = _jitter("erf", inputs * math.sqrt(variances[0] / inputs.shape[1]), variances)
    projected = new @ found.weight_covariance
    across = projected @ inputs.T
    own = np.einsum("ij,ij->i", projected, new)
    for layer, kernel in enumerate(found.kernels):
        diagonal = np.diag(kernel)
        after = layer + 1
        last = after == len(variances)
        gain = found.readout_variance if last else variances[after]
        across = gain * erf_across(across, own, diagonal)
        if not last:
            own = gain * erf_own(own)
            prior = gain * erf(kernel)[0]
            prior[np.diag_indices_from(prior)] += jitter[after]
            root = cholesky(prior, lower=True)
            regressed = solve_triangular(root, across.T, lower=True)  # R^-1 Q_.*
            half = solve_triangular(root, found.kernels[after], lower=True)
            relative = solve_triangular(root, half.T, lower=True)  # R^-1 K R^-T
            own += np.einsum("ij,ij->j", regressed, relative @ regressed - regressed)
            across = regressed.T @ half
    noisy = found.output_kernel + found.ridge * np.eye(len(inputs))
    predicted: Array = across @ solve(noisy, columns, assume_a="pos")
    return predicted.reshape(shape)


def _jitter(activation: str, coordinates: Array, variances: Array) -> tuple[float, ...]:
    """Return what is added to the diagonal of each prior: nothing for linear layers and for the first."""
    own = np.einsum("ij,ij->i", coordinates, coordinates)
    found = [0.0]
    for variance in variances[1:]:
        own = variance * erf_own(own)
        found.append(_JITTER * float(np.mean(own)) if activation == "erf" else 0.0)
    return tuple(found)


def _span(inputs: Array, activation: str, variances: Array) -> tuple[Array, Array]:
    """Return an orthonormal basis of the span of the rows, and their coordinates in it in units of the weights' deviation."""
    largest = float(np.max(np.abs(inputs)))
    if largest == 0:
        raise refusal("X", 0.0, "holds nothing but zeros", shown=False)
    left, values, right = np.linalg.svd(inputs / largest, full_matrices=False)
    kept = values > values[0] * max(inputs.shape) * np.finfo(float).eps
    with np.errstate(over="ignore", under="ignore"):
        unit = largest * math.sqrt(variances[0] / inputs.shape[1])
        coordinates = left[:, kept] * (unit * values[kept])
        square = float(np.max(np.einsum("ij,ij->i", coordinates, coordinates)))
    if not _SMALLEST <= square <= _LARGEST[activation]:
        raise _extreme("X", activation)
    return right[kept].T, coordinates


def _extreme(name: str, activation: str) -> Exception:
    complaint = (
        f"must be such that pre-activations, of variance weight_variance |x|^2/d, are between {_SMALLEST:g} "
        f"and {_LARGEST[activation]:g}; scale the inputs"
    )
    return refusal(name, None, complaint, shown=False)


def _agree(ends: list[Descent], means: list[Array], targets: Array) -> bool:
    """Tell whether all descents ended at one minimum."""
    energies = [end.state.free_energy for end in ends]
    apart = max(energies) - min(energies)
    moved = max(float(np.max(np.abs(mean - means[0]))) for mean in means)
    return apart <= _SAME * max(1.0, abs(min(energies))) and moved <= _ALIKE * float(
        np.max(np.abs(targets))
    )


def _cautions(ends: list[Descent], agree: bool, scale: float) -> tuple[str, ...]:
    """Say why the answer may not be that of a finite network."""
    found = []
    if not agree:
        energies = " and ".join(f"{end.state.free_energy:.8g}" for end in ends)
        found.append(
            f"descents from the kernels of infinite width and along rising scales end at different minima, F = {energies}: "
            "the lower is kept, and jumps of the ansatz need not be those of the network"
        )
    if scale < _SMALL_SCALE:
        found.append(
            f"scale = {scale:g} is of order one: corrections as large as the adaptation itself are left out, and "
            "the kernels of infinite width (nngp_mean) may be nearer to the truth"
        )
    return tuple(found)


def _variances(value: ArrayLike, layers: int) -> Array:
    found = numbers("weight_variance", value, low=0, strict=True)
    if found.shape not in ((), (1,), (layers,)):
        complaint = (
            f"must be one number, or one for each of {layers} layers; got shape {found.shape}"
        )
        raise refusal("weight_variance", value, complaint, shown=False)
    return np.array(np.broadcast_to(found, (layers,)))
