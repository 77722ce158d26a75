"""The law of a two-layer network's weights: one solution from every start, its modes, and sampled networks."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize

from ....arguments import Array
from ....solvers import kernel_adaptation as solve
from ....solvers.kernel_adaptation import TwoLayer
from ....theory import law
from ...comparison import Comparison, Prediction, Rival
from ...registry import Context, check
from ...simulate.kernel_adaptation import PosteriorSample, sample_posterior, stratified_polynomial
from .._measured import computed, mean_over
from .tolerances import unwarned

_TARGET = np.array([1.0, 0.1 * math.sqrt(6)])  # z + 0.1 He_3(z)
_UNIQUE_TOLERANCE = 1e-6  # absolute, of components of the mean: where a general optimizer stops
_EXPONENT_TOLERANCE = 0.005  # absolute: what is left of 1/sqrt(d) between 100 and 10^4
_CONSTANT_TOLERANCE = 2e-3  # relative: the same at 10^4
_SAMPLED_TOLERANCE = 0.25  # relative: half of what adaptation adds, where 40 neurons learn least
_SHAPE_TOLERANCE = 0.25  # absolute, of the kurtosis: a third of its distance from a Gaussian's


class Trapezoid:
    """The mean-field equations of two modes on equal steps in m, written down once more; lengths across are at their mean.

    Parameters
    ----------
    ridge : float
        Per sample.
    dimension, width, scale : float
    reach : float
        Largest weight along the target that is admitted.
    """

    def __init__(
        self, ridge: float, *, dimension: float, width: float, scale: float, reach: float = 6.0
    ) -> None:
        """Lay out the nodes and the prior."""
        m = np.linspace(-reach, reach, 1601)
        ratio = m / np.sqrt(1 + 2 * (m**2 + (dimension - 1) / dimension))
        self.components = 2 / math.sqrt(math.pi) * np.array([ratio, -2 * ratio**3 / math.sqrt(6)])
        self.log_prior = -dimension * m**2 / 2
        self.log_prior -= np.logaddexp.reduce(self.log_prior)
        self.ridge, self.width, self.scale = ridge, width, scale

    def kernel(self, t: Array) -> tuple[Array, float]:
        """Return Q and log Z at a dual."""
        logs = self.log_prior + self.scale / (2 * self.width) * (t @ self.components) ** 2
        total = float(np.logaddexp.reduce(logs))
        kernel: Array = (self.components * np.exp(logs - total)) @ self.components.T
        return kernel, total

    def dual(self, t: Array) -> tuple[float, Array]:
        """Return minus the dual function, over the scale, and its gradient."""
        kernel, total = self.kernel(t)
        value = _TARGET @ t - self.ridge * t @ t / 2 - self.width / self.scale * total
        return -float(value), -(_TARGET - self.ridge * t - kernel @ t)

    def climb(self, start: Array) -> tuple[Array, float]:
        """Maximize the dual by a general optimizer; return the mean predictor and the slope that is left."""
        found = minimize(self.dual, start, jac=True, method="BFGS", options={"gtol": 1e-10})
        kernel, _ = self.kernel(found.x)
        return kernel @ found.x, float(np.max(np.abs(found.jac)))

    def iterate(self, kernel: Array, share: float, most: int) -> tuple[Array, float]:
        """Move the kernel towards its image until it stays; return the mean predictor and the last step."""
        step = math.inf
        for _ in range(most):
            t = np.linalg.solve(kernel + self.ridge * np.eye(2), _TARGET)
            move = self.kernel(t)[0] - kernel
            step = float(np.max(np.abs(move)))
            if step < 1e-13:
                break
            kernel = kernel + share * move
        return kernel @ np.linalg.solve(kernel + self.ridge * np.eye(2), _TARGET), step


@check(
    "kernel_adaptation.uniqueness",
    statement="the mean-field equations of two layers have one solution, whichever way they are solved and wherever that starts",
    no_law="uniqueness of a solution, not a power of anything",
)
def uniqueness(context: Context) -> Iterator[Comparison]:
    """A general optimizer from random duals, and damped iteration of the kernel, on an own quadrature: the worst of all ends."""
    sizes = {"dimension": 100, "width": 1000, "scale": 1000.0}
    rng = context.generator("starts", 0)
    for ridge in (0.03, 0.003, 0.001):
        theory = unwarned(
            solve.two_layer,
            _TARGET,
            ridge_per_sample=ridge,
            perpendicular="concentrated",
            **sizes,  # type: ignore[arg-type]
        )
        rules = Trapezoid(ridge, **sizes)
        size = 3 * np.abs(theory.dual)
        count = context.pick(quick=5, full=20)
        ends = [rules.climb(size * rng.standard_normal(2)) for _ in range(count)]
        told = f"{count} starts of BFGS on the dual"
        if (
            theory.phase != "GM-II"
        ):  # where far modes take part the iteration goes around in a circle
            for start in (np.eye(2), 1e-3 * np.eye(2)):
                ends.append(rules.iterate(start, share=0.3, most=1000))
            told += ", two of damped iteration of the kernel"
        apart = [float(np.max(np.abs(mean - theory.mean))) for mean, _ in ends]
        worst = int(np.argmax(apart))
        mean = ends[worst][0]
        if theory.phase == "GM-II":
            near, _ = Trapezoid(ridge, **sizes, reach=theory.far).climb(np.zeros(2))
            rival = Rival(
                f"no weight beyond {theory.far:g}, as where sampling never finds them",
                float(near[1]),
            )
        else:
            rival = Rival("a kernel that does not adapt", float(_lazy(ridge, sizes)[1]))
        yield Comparison(
            f"{context.check}/{theory.phase}-{ridge:g}",
            Prediction(
                "component of the mean predictor on He_3",
                "threshold",
                float(theory.mean[1]),
                f"solvers.kernel_adaptation.two_layer, kappa' = {ridge:g}",
            ),
            computed(
                float(mean[1]),
                max(slope for _, slope in ends),
                f"{told}; the farthest of all ends",
                (ridge, ridge),
            ),
            tolerance=_UNIQUE_TOLERANCE,
            rival=rival,
            evidence="exact",
            notes=(f"largest difference of any component: {max(apart):.1e}",),
        )


def _lazy(ridge: float, sizes: dict[str, float]) -> Array:
    rules = Trapezoid(ridge, **sizes)
    kernel, _ = rules.kernel(np.zeros(2))
    mean: Array = kernel @ np.linalg.solve(kernel + ridge * np.eye(2), _TARGET)
    return mean


@check(
    "kernel_adaptation.bimodality",
    statement="weights become bimodal along a linear target at samples that grow as the root of the dimension",
    laws=("kernel_adaptation.bimodality",),
    evidence="exact",
)
def bimodality(context: Context) -> Iterator[Comparison]:
    """Thresholds of the solver between 100 and 10^4 dimensions, as many neurons as the scale; the law is for large dimensions."""
    formula = law("kernel_adaptation.bimodality")
    assert formula.constant is not None
    values = {"nu": 1, "kappa": 1}
    constant, mean = (
        float(expr.subs({symbol: values[str(symbol)] for symbol in expr.free_symbols}))
        for expr in (formula.constant, formula.forms["mean"].expr)
    )
    sizes = np.array([100.0, 1e4])
    found = [
        unwarned(
            solve.two_layer_thresholds,
            [1.0],
            dimension=int(d),
            width=1000.0,
            scale=1000.0,
            degrees=[1],
            perpendicular="concentrated",
        )
        for d in sizes
    ]
    samples = np.array([1 / each.bimodality for each in found])
    method, window = "roots of the curvature at zero of the solver's law of weights", (100.0, 1e4)
    slope = float(np.log(samples[1] / samples[0]) / np.log(sizes[1] / sizes[0]))
    last = (1e4, 1e4)
    for name, kind, told, predicted, value, tolerance, relative, rival in (
        (
            "exponent",
            "exponent",
            "exponent of samples per ridge in d, sign reversed",
            -float(formula()),
            -slope,
            _EXPONENT_TOLERANCE,
            False,
            Rival("the lazy kernel's half learnability, d", -1.0),
        ),
        (
            "constant",
            "threshold",
            "samples per ridge over sqrt(d)",
            constant,
            float(samples[1] / np.sqrt(sizes[1])),
            _CONSTANT_TOLERANCE,
            True,
            Rival("bimodal at half learnability, at the law's force", constant * (1 - mean) / 0.5),
        ),
        (
            "learned",
            "threshold",
            "share of the target that is learned there",
            mean,
            float(found[1].bimodality_mean[0]),
            _CONSTANT_TOLERANCE,
            True,
            Rival("half", 0.5),
        ),
    ):
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                told, kind, predicted, formula.name, domain={"dimension": (sizes[0], np.inf)}
            ),
            computed(value, 1e-7, method, window if kind == "exponent" else last),
            tolerance=tolerance,
            tolerance_kind="relative" if relative else "absolute",
            rival=rival,
            evidence="exact",
        )


@check(
    "kernel_adaptation.weights",
    statement="the mean-field law of weights is that of sampled networks of 40 neurons on 1500 points: mean, variance and kurtosis",
    no_law="the solver's numbers at finite sizes",
    effort="full",
)
def sampled_weights(context: Context) -> Iterator[Comparison]:
    """Two ridges, of a weak and of a strong adaptation; every replicate is a data set."""
    dimension, neurons, samples, scale = 8, 40, 1500, 200.0
    sets, draws = 4, 200
    for ridge in (600.0, 150.0):
        given = {
            "dimension": dimension,
            "width": neurons,
            "samples": samples,
            "ridge": ridge,
            "degrees": (1, 3, 5),
            "mixed": (1,),
        }
        target = [*_TARGET, 0.0]
        theory: TwoLayer = unwarned(solve.two_layer, target, scale=scale, **given)  # type: ignore[arg-type]
        lazy: TwoLayer = unwarned(solve.two_layer, target, scale=1e-3, **given)  # type: ignore[arg-type]
        rows, agreement = [], 0.0
        for r in range(sets):
            data, source = context.generator(f"{ridge:g}", r).spawn(2)
            inputs, cubic = stratified_polynomial(samples, dimension=dimension, rng=data)
            found: PosteriorSample = sample_posterior(
                inputs,
                _TARGET[0] * inputs[:, 0] + _TARGET[1] * cubic,
                neurons=neurons,
                ridge=ridge,
                scale=scale,
                degrees=(1, 3),
                chains=2,
                draws=draws,
                warmup=draws,
                rng=source,
            )
            square, fourth = float(np.mean(found.overlaps**2)), float(np.mean(found.overlaps**4))
            learned = found.components.mean(axis=(0, 1))
            rows.append([*learned, dimension * square, fourth / square**2])
            agreement = max(agreement, *found.r_hat.values())
        table = np.array(rows)
        method = (
            f"Hamiltonian Monte Carlo, d = {dimension}, N = {neurons}, P = {samples}, chi = {scale:g}, kappa = {ridge:g}; one data "
            f"set per replicate, first inputs stratified; largest R-hat {agreement:.3f}"
        )
        for i, (name, told, predicted, rival) in enumerate(
            (
                (
                    "first",
                    "component of the mean predictor on He_1",
                    theory.mean[0],
                    Rival("a kernel that does not adapt", float(lazy.mean[0])),
                ),
                (
                    "third",
                    "component of the mean predictor on He_3",
                    theory.mean[1],
                    Rival("a kernel that does not adapt", float(lazy.mean[1])),
                ),
                (
                    "variance",
                    "variance of weights along the target over the prior's",
                    theory.inflation,
                    Rival("weights that do not adapt", 1.0),
                ),
                (
                    "kurtosis",
                    "kurtosis of weights along the target",
                    theory.kurtosis,
                    Rival("Gaussian weights", 3.0),
                ),
            )
        ):
            shape = name == "kurtosis"
            yield Comparison(
                f"{context.check}/{name}-{ridge:g}",
                Prediction(
                    told, "threshold", float(predicted), "solvers.kernel_adaptation.two_layer"
                ),
                mean_over(table[:, i], method, samples),
                tolerance=_SHAPE_TOLERANCE if shape else _SAMPLED_TOLERANCE,
                tolerance_kind="absolute" if shape else "relative",
                rival=rival,
                notes=(f"noise of the samples over the target's force: {theory.noise_share:.2f}",),
            )
