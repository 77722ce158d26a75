"""What outsiders gave and should not have: each is refused by name, in words, before anything is allocated."""

import datetime

import numpy as np
import pytest
import sympy as sp

from scalinglaws import notation, theory
from scalinglaws.arguments import afford, broadcast, floats, numbers
from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers import (
    EmpiricalSpectrum,
    PowerLawSpectrum,
    feature_learning,
    kernels,
    linear,
    patterns,
    percolation,
)
from scalinglaws.sweep import run_many
from scalinglaws.theory.asymptotics import EXP, RATIONAL
from scalinglaws.theory.balance import allocate, regimes_in_region
from scalinglaws.theory.derivation import DEFINITION, step
from scalinglaws.verify import empirical, plots
from scalinglaws.verify.estimate import power_law_exponent
from scalinglaws.verify.simulate import linear as simulated
from scalinglaws.verify.simulate import percolation as forests

SPECTRUM = PowerLawSpectrum(1.5, 1.0)
THREE = EmpiricalSpectrum([0.5, 0.3, 0.1], [0.2, 0.5, 0.3])
A_SPECTRUM = "spectrum = None must be a PowerLawSpectrum or an EmpiricalSpectrum"
NO_NUMBERS = (
    None,
    "3",
    b"3",
    True,
    [True],
    np.array([True, False]),
    np.array([True, 1.0], dtype=object),
    1j,
    np.array([1j]),
    np.array(["1", "2"]),
    np.array(["1", 2.0], dtype=object),
    np.array([None, 1.0], dtype=object),
    np.array([1j], dtype=object),
    np.array(["2020-01-01"], dtype="datetime64[D]"),
    np.timedelta64(3, "s"),
    datetime.date(2020, 1, 1),
    np.ma.masked_array([1.0, 2.0], [False, True]),
    np.ma.masked,
    [[1.0, 2.0], [3.0]],
    {"a": 1.0},
    10**400,
    float,
)

WITH_A_SPECTRUM = {
    "ridge": lambda s: linear.ridge(s, samples=10),
    "effective_ridge": lambda s: linear.effective_ridge(s, samples=10),
    "degrees_of_freedom": lambda s: linear.degrees_of_freedom(0.1, s),
    "learnability": lambda s: linear.learnability(1, s),
    "gradient_flow": lambda s: linear.gradient_flow(1.0, s),
    "gradient_descent": lambda s: linear.gradient_descent(1, s, learning_rate=0.1),
    "online_sgd": lambda s: linear.online_sgd(1, s, batch=1, learning_rate=0.1),
    "sgd_stability": lambda s: linear.sgd_stability(s, batch=1, learning_rate=0.1),
    "largest_eigenvalue": lambda s: linear.largest_eigenvalue(s),
    "compute_frontier": lambda s: linear.compute_frontier(1e6, s),
    "loss_surface": lambda s: linear.loss_surface(10, 10, s),
    "time_for_loss": lambda s: linear.time_for_loss(0.1, s),
    "samples_for_loss": lambda s: linear.samples_for_loss(0.1, s),
    "features_for_loss": lambda s: linear.features_for_loss(0.1, s),
    "static_limit": lambda s: feature_learning.static_limit(s),
    "crossover_time": lambda s: feature_learning.crossover_time(s, richness=0.1),
    "rich flow": lambda s: feature_learning.gradient_flow(1.0, s, richness=0.1),
    "rich frontier": lambda s: feature_learning.compute_frontier(1e6, s, richness=0.1),
    "linear_network": lambda s: feature_learning.linear_network(1.0, s, richness=0.1),
    "rich descent": lambda s: feature_learning.gradient_descent(
        1, s, richness=0.1, learning_rate=1
    ),
    "simulated ridge": lambda s: simulated.random_feature_ridge(s, samples=10),
    "simulated flow": lambda s: simulated.gradient_flow(1.0, s, samples=10),
}


@pytest.mark.parametrize("call", WITH_A_SPECTRUM.values(), ids=WITH_A_SPECTRUM)
def test_what_is_no_spectrum(call):
    with pytest.raises(DomainError, match=A_SPECTRUM) as caught:
        call(None)
    assert caught.value.argument == "spectrum"


@pytest.mark.parametrize(
    "call",
    [
        lambda: linear.ridge(1e3, SPECTRUM),
        lambda: linear.largest_eigenvalue(SPECTRUM, 10),
        lambda: feature_learning.static_limit(10, SPECTRUM),
        lambda: simulated.random_feature_ridge(10, SPECTRUM, samples=10),
    ],
)
def test_a_spectrum_that_comes_first(call):
    with pytest.raises(DomainError, match="the spectrum comes first, everything else by name"):
        call()


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: linear.gradient_flow(SPECTRUM, 1.0), "t"),
        (lambda: linear.time_for_loss(SPECTRUM, 0.1), "loss"),
        (lambda: feature_learning.gradient_flow(SPECTRUM, 1.0, richness=1), "t"),
    ],
)
def test_a_spectrum_that_comes_second(call, name):
    with pytest.raises(DomainError, match=f"{name} comes first, the spectrum second") as caught:
        call()
    assert caught.value.argument == name


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_number(value):
    for call in (
        lambda: floats("ridge", value),
        lambda: numbers("ridge", value),
        lambda: linear.ridge(SPECTRUM, samples=10, ridge=value),
    ):
        with pytest.raises(DomainError, match="^ridge = ") as caught:
            call()
        assert caught.value.argument == "ridge"
    for call in (
        lambda: kernels.arc_cosine(value, 1),
        lambda: kernels.circle_kernel(value, 1),
        lambda: kernels.arc_cosine(1.0, value),
        lambda: kernels.circle_eigenvalues(value, harmonics=4),
        lambda: kernels.circle_eigenvalues(1, bias=value, harmonics=4),
        lambda: percolation.cluster_learning_curve(value),
        lambda: power_law_exponent([1, 2], value),
    ):
        with pytest.raises(DomainError):
            call()


def test_numbers_of_every_kind_are_numbers():
    sympy = pytest.importorskip("sympy")
    for value in (2, 2.0, np.float32(2), np.array(2), sympy.Integer(2), np.array([2], object)[0]):
        assert floats("ridge", value) == 2.0
    assert floats("ridge", [1, sympy.Rational(1, 2)]).tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: PowerLawSpectrum(1.5, 1.0, None), "size"),
        (lambda: patterns.log_alignment(10, 100.0, rng=-1), "rng"),
        (lambda: percolation.allocate([1.0], 3, exponents=1.0, law=np.array(["hard"])), "law"),
        (lambda: linear.compute_frontier(1e6, SPECTRUM, dynamics=np.array(["sgd"])), "dynamics"),
        (lambda: linear.ridge(SPECTRUM, on_failure=np.array(["raise"])), "on_failure"),
        (lambda: linear.samples_for_loss(0.1, SPECTRUM, t="1"), "t"),
        (lambda: linear.online_sgd(20, THREE, batch=4, learning_rate=5e-324), "learning_rate"),
        (lambda: linear.sgd_stability(THREE, batch=4, learning_rate=5e-324), "learning_rate"),
        (
            lambda: linear.online_sgd(
                20, THREE, batch=4, learning_rate=0.1, noise_variance=1.7e308
            ),
            "noise_variance",
        ),
        (lambda: EmpiricalSpectrum([1e-280], [1e300]), "signal"),
        (lambda: theory.law(["linear.data"]), "law"),
        (lambda: theory.find(None), "text"),
        (lambda: theory.linear.derive_time(2), "model"),
    ],
)
def test_refused_by_name(call, name):
    with pytest.raises(DomainError) as caught:
        call()
    assert caught.value.argument == name


K, C, A = sp.symbols("K C a", positive=True)
MIXED = np.array(["1", 2.0], dtype=object)
RAGGED = [[1.0, 2.0], [3.0]]
FOREST = {"clusters": 5, "largest": 1000, "rng": 1}


@pytest.mark.parametrize(
    ("call", "name"),
    [
        # mappings and names
        (lambda: notation.canonical(3, ()), "values"),
        (lambda: notation.canonical({}, "ab"), "known"),
        (lambda: notation.belonging(MIXED), "name"),
        (lambda: notation.convention("bordelon").read(3), "values"),
        (lambda: theory.law(MIXED), "law"),
        (lambda: theory.law("linear.data").blocks(3), "values"),
        (lambda: theory.law("linear.data").blocks({1: 2}), "values"),
        (lambda: theory.law("linear.data")(alpha=RAGGED, beta=1), "alpha"),
        (lambda: theory.law("linear.data")(alpha=np.timedelta64(3, "s"), beta=1), "alpha"),
        # expressions
        (lambda: RATIONAL(1, 10**7), "n"),
        (lambda: RATIONAL(1, 10**400), "n"),
        (lambda: EXP.transform(10**9), "s"),
        (lambda: EXP.compose(np.timedelta64(3, "s")), "power"),
        (lambda: step(K, "no", DEFINITION, ""), "value"),
        (lambda: theory.feature_learning.compute_limited(power=[1]), "power"),
        (lambda: theory.feature_learning.overlap(10**30, 1, 2), "x"),
        (
            lambda: (
                theory.linear.derive_compute(theory.feature_learning.compute_limited(), of=3).expr
            ),
            "of",
        ),
        # one or several
        (lambda: allocate(K + 1 / K, K, budget=3), "budget"),
        (lambda: allocate(K + 1 / K, K, caps=np.array(2.0)), "caps"),
        (lambda: allocate([RAGGED], K), "terms"),
        (lambda: allocate(K + 1 / K, RAGGED), "free"),
        (lambda: regimes_in_region(3, K, {}), "regimes"),
        (lambda: regimes_in_region(allocate(K**A + C / K, K), RAGGED, {}), "scale"),
        (lambda: regimes_in_region(allocate(K**A + C / K, K), C, 3), "region"),
        (lambda: regimes_in_region(allocate(K**A + C / K, K), C, {A: (A, 1)}), "region"),
        # patterns
        (lambda: theory.patterns.transfer_order(1, 3, "erf"), "activation"),
        (lambda: theory.patterns.transfer_order(1, 10**30, "odd"), "end"),
        (lambda: theory.patterns.erf_cost(1, 1, "hard"), "width"),
        (lambda: theory.patterns.erf_cost(amplitude=0), "amplitude"),
        (lambda: theory.patterns.fully_connected([1], 3, tracked=0.5), "tracked"),
        (lambda: theory.patterns.LayerPattern("bond"), "kind"),
        (lambda: theory.patterns.LayerPattern("S"), "feature"),
        (
            lambda: theory.patterns.Pattern(
                theory.patterns.attention(1), (theory.patterns.LayerPattern("S", 1),)
            ),
            "layers",
        ),
        (
            lambda: theory.patterns.Pattern(
                theory.patterns.fully_connected([1], 3), (theory.patterns.LayerPattern("S", 3),)
            ),
            "layers",
        ),
        # numbers whose sums or quotients are none
        (lambda: EmpiricalSpectrum(RAGGED, [1.0]), "eigenvalues"),
        (lambda: percolation.allocate([1.0], 3, exponents=1.0, scales=5e-324), "scales"),
        (lambda: percolation.allocate_integer([1.0], 3, exponents=5e-324), "exponents"),
        (lambda: percolation.cluster_scale(1.7e308, variance=1.0, coordination=12), "size"),
        (lambda: percolation.data_loss(10, alpha=1.7e308, exponent=0.5), "alpha"),
        (lambda: percolation.data_loss(10, weights=[1.7e308] * 3, exponent=0.5), "weights"),
        (
            lambda: feature_learning.realization_flow(1.0, [1, 2], [1.7e308] * 2, richness=1.0),
            "powers",
        ),
        # simulations of percolation
        (lambda: forests.bethe_dataset(5, occupation=MIXED), "occupation"),
        (lambda: forests.bethe_dataset(**FOREST, occupation=RAGGED), "occupation"),
        (
            lambda: forests.learning_curves(forests.bethe_dataset(**FOREST), RAGGED),
            "training_counts",
        ),
        (
            lambda: forests.learning_curves(forests.bethe_dataset(**FOREST), estimator=MIXED),
            "estimator",
        ),
        (lambda: forests.fitted_scale(np.array([1 + 0j]), 1.0), "training_counts"),
        (lambda: forests.fractal_dimension(None), "groups"),
        (lambda: forests.crossing(3, 4, dimension=1.9, bracket=(0.5, 0.7)), "small"),
        (lambda: forests.label_clusters(RAGGED), "occupied"),
        (lambda: forests.label_clusters([[True]], periodic=RAGGED), "periodic"),
        (lambda: forests.lattice_clusters(3, 0.5), "shape"),
        # many runs
        (lambda: run_many(0.3, [1]), "function"),
        (lambda: run_many(abs, 7), "items"),
        (lambda: run_many(abs, [1], on_done=3), "on_done"),
        (lambda: run_many(abs, [1], finished=[1]), "finished"),
        (lambda: SPECTRUM.depth_for(10**400, 1.0), "count"),
        (lambda: SPECTRUM.depth_for(10, None), "ridge"),
        # pictures
        (lambda: plots.percolation.loss_curves(figure=[]), "figure"),
        (lambda: plots.percolation.loss_curves(exponents=MIXED), "exponents"),
        (lambda: plots.percolation.dataset_losses(-0.0), "datasets"),
        (lambda: plots.patterns.tail_curves(3), "tails"),
    ],
)
def test_what_the_sweep_found_is_refused_by_name(call, name):
    with pytest.raises(DomainError) as caught:
        call()
    assert caught.value.argument == name


def test_work_that_would_not_end_is_refused(monkeypatch):
    with pytest.raises(ResourceError, match="take more than .* attempts"):
        forests.bethe_dataset(5, occupation=1e-300)
    with pytest.raises(ResourceError, match="visit more than 1e\\+11 sites"):
        forests.learning_curves(forests.bethe_dataset(**FOREST), repeats=10**15)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "200MB")
    wide = EmpiricalSpectrum([1e150, 1e-150], [0.0, 1e-300])
    with pytest.raises(ResourceError, match="pairs of nodes would hold .* fewer decades"):
        feature_learning.gradient_flow(1.0, wide, richness=0.1, samples=10)


def test_no_budget_is_allocated_too():
    assert percolation.allocate([3.0, 2.0], [], exponents=1.0).allocation.shape == (0, 2)


def test_a_step_so_long_that_the_loss_overflows():
    with pytest.raises(DomainError, match="learning_rate"):
        feature_learning.gradient_descent(1, SPECTRUM, richness=1.0, learning_rate=1e300)


@pytest.mark.parametrize(
    "call",
    [
        lambda: PowerLawSpectrum(1.5, 0.5, 1e10).explicit(),
        lambda: linear.ridge(
            SPECTRUM, features=np.full((10**5, 1), 2.0), samples=np.full((1, 10**5), 2.0)
        ),
        lambda: broadcast({"a": np.ones((10**6, 1)), "b": np.ones((1, 10**6))}),
        lambda: kernels.circle_eigenvalues(np.ones(10**4), harmonics=10**6, grid=2**22),
        lambda: feature_learning.silver_steps(10**18),
        lambda: feature_learning.reuse_dmft(
            1e15, SPECTRUM, samples=10, learning_rate=0.1, richness=1.0
        ),
        lambda: afford(1e10, "the test", "use less"),
    ],
)
def test_refused_before_it_is_allocated(call):
    with pytest.raises(ResourceError, match=r"would hold .* GB, more than 4 GB"):
        call()


@pytest.mark.parametrize("features", [np.inf, 40.0])
def test_the_largest_batch_is_as_good_as_all_data(features):
    # gradient noise of 1e-290 is none: as with batch = inf
    found = [
        linear.online_sgd(20, THREE, features=features, batch=batch, learning_rate=0.1).test_loss
        for batch in (1e290, np.inf)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-12)


NEEDS_RUNS = {
    "fit": lambda runs: empirical.fit("surface", runs),
    "fit_groups": lambda runs: empirical.fit_groups("surface", runs),
    "compare_laws": lambda runs: empirical.compare_laws(["surface", "surface_power"], runs),
    "compare_recipes": lambda runs: empirical.compare_recipes("surface", runs, "a"),
    "fit_task": lambda runs: empirical.fit_task(runs, accuracy="accuracy"),
    "fit_curves": lambda runs: empirical.fit_curves("functional", runs),
    "compare_curves": empirical.compare_curves,
}


@pytest.mark.parametrize("name", NEEDS_RUNS)
@pytest.mark.parametrize("runs", [None, 3])
def test_runs_are_refused_by_the_name_under_which_they_were_given(name, runs):
    with pytest.raises(DomainError, match=f"runs = {runs} must be") as refused:
        NEEDS_RUNS[name](runs)
    assert refused.value.argument == "runs"
    with pytest.raises(DomainError, match=f"source = {runs} must be"):
        empirical.read_runs(runs)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.feature_learning.warp_constants(None), "beta = None is not a real number"),
        (
            lambda: theory.patterns.attention(1, score_exponent=None),
            "score_exponent = None is not a",
        ),
        (lambda: theory.law("linear.data")(alpha=None, beta=1), "alpha = None"),
        (
            lambda: theory.percolation.break_rank_equation(9, alpha=1, beta="1"),
            "beta = '1' is not a number",
        ),
        (
            lambda: percolation.prepare_allocation([1.0], exponent="x"),
            "exponent = 'x' must be a number",
        ),
        (
            lambda: percolation.prepare_allocation([1.0], exponent=0.5, scale=-1),
            r"scale = -1\.0 must be",
        ),
        (lambda: percolation.allocate(9, [1.0], exponents="x"), "exponents = 'x' must be a number"),
        (
            lambda: empirical.from_parameters("besiroglu").bootstrap("x"),
            "count = 'x' must be",
        ),
    ],
)
def test_refusals_name_the_argument_that_was_given(call, message):
    with pytest.raises(DomainError, match=message) as refused:
        call()
    assert refused.value.argument == message.split()[0]
