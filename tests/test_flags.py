"""Flags are flags: nothing else passes for one, in any public callable, however natural it looks."""

import inspect
import pkgutil
from functools import cache
from importlib import import_module

import numpy as np
import pytest
import sympy as sp

import scalinglaws
from scalinglaws import explore, solvers, sweep, theory, verify
from scalinglaws.arguments import flags
from scalinglaws.errors import DomainError
from scalinglaws.results import Result
from scalinglaws.solvers import feature_learning, schedules
from scalinglaws.solvers import percolation as solved
from scalinglaws.theory import asymptotics, balance, linear, patterns
from scalinglaws.theory import formula as formulas
from scalinglaws.theory.records import Published
from scalinglaws.verify import empirical, reproduced
from scalinglaws.verify.checks.empirical.accuracy import draw_task
from scalinglaws.verify.simulate import empirical as tasks
from scalinglaws.verify.simulate import kernel_adaptation as posteriors
from scalinglaws.verify.simulate import learnability as regressions
from scalinglaws.verify.simulate import linear as trainings
from scalinglaws.verify.simulate import patterns as events
from scalinglaws.verify.simulate import perceptron as perceptrons
from scalinglaws.verify.simulate import percolation as simulated
from scalinglaws.verify.simulate import schedules as scheduled

NO_FLAGS = ("no", "yes", "", 0, 1, 2, 1.0, None, (False, True), [True], (True, False, True, False))


def _law(**given):
    return formulas.Law(
        "linear.mine", "", "", sp.Symbol("x"), {}, (), "derived", None, None, **given
    )


def _spectrum():
    return solvers.PowerLawSpectrum(1.5, 1.0, 4)


def _march(solve, **given):
    return solve(2, _spectrum(), learning_rate=0.1, richness=0.1, **given)


@cache
def _balances():
    x, y, c, a = sp.symbols("x y c a", positive=True)
    found = balance.allocate(x**-a + y**-1, (x, y), budget=(x * y, c))
    return found, balance.regimes_in_region(found, c, {a: (sp.Rational(1, 2), 2)}, samples=20)


@cache
def _report():
    return verify.run(["linear.statics"])


def _square(x):
    return x * x


# every public callable with a flag, and a call that is right but for it
CALLS = {
    "solvers.schedules.HeavyBall": lambda **given: solvers.schedules.HeavyBall(0.9, **given),
    "solvers.feature_learning.online_dmft": lambda **given: _march(
        feature_learning.online_dmft, batch=8, **given
    ),
    "solvers.feature_learning.reuse_dmft": lambda **given: _march(
        feature_learning.reuse_dmft, samples=8, **given
    ),
    "solvers.linear.gradient_descent": lambda **given: solvers.linear.gradient_descent(
        2, _spectrum(), learning_rate=0.1, **given
    ),
    "solvers.percolation.PreparedAllocation.solve": lambda **given: solved.prepare_allocation(
        [2.0, 1.0], exponent=1.0
    ).solve(3.0, **given),
    "solvers.percolation.allocate": lambda **given: solved.allocate(
        [2.0, 1.0], 3.0, exponents=1.0, **given
    ),
    "solvers.percolation.data_loss": lambda **given: solved.data_loss(
        3, weights=[2.0, 1.0], exponent=1.0, **given
    ),
    "solvers.schedules.functional_law": lambda **given: schedules.functional_law(
        schedules.Schedule.constant(0.1, 3), _spectrum(), batch=1, **given
    ),
    "explore.serve": lambda **given: explore.serve(0, **given),
    "sweep.run": lambda **given: sweep.run(_square, {"x": [1, 2]}, cache=False, **given),
    "theory.asymptotics.MellinSymbol.poles": lambda **given: list(
        asymptotics.EXP.poles(0, **given)
    ),
    "theory.balance.Balance.determined": lambda **given: _balances()[0][0].determined(
        accept=lambda values: True, **given
    ),
    "theory.balance.RegionalMap.as_piecewise": lambda **given: _balances()[1].as_piecewise(**given),
    "theory.formula.Derived": lambda **given: formulas.Derived((), (), None, **given),
    "theory.formula.Law": _law,
    "theory.renormalization.Flow": lambda **given: theory.renormalization.Flow(
        theory.renormalization.likelihood_flow(2).rates, **given
    ),
    "theory.formula.Law.blocks": lambda **given: theory.law("linear.data").blocks(**given),
    "theory.formula.Regime.at": lambda **given: (
        theory.law("linear.data")
        .regimes[0]
        .at(
            2.0,
            {sp.Symbol("alpha", positive=True): 2, sp.Symbol("beta", positive=True): 1},
            **given,
        )
    ),
    "theory.linear.Case": lambda **given: linear.Case(sp.true, None, **given),
    "theory.patterns.Architecture": lambda **given: patterns.Architecture((1,), 3, **given),
    "theory.patterns.convolutional": lambda **given: patterns.convolutional([1], **given),
    "theory.patterns.enumerate_patterns": lambda **given: patterns.enumerate_patterns(
        patterns.fully_connected([1], 3), **given
    ),
    "theory.patterns.phase_diagram": lambda **given: patterns.phase_diagram(
        patterns.fully_connected(["n"], 3), points=3, **given
    ),
    "theory.patterns.sample_complexity": lambda **given: patterns.sample_complexity(
        patterns.fully_connected([1], 3), **given
    ),
    "verify.Measurement": lambda **given: verify.Measurement(
        1.0, 0.1, None, 3, "by hand", (0, 1), **given
    ),
    "theory.perceptron.derive_combined": lambda **given: theory.perceptron.derive_combined(
        theory.perceptron.FixedNorm(), **given
    ),
    "theory.formula.Published": lambda **given: Published(1, "", None, **given),
    "verify.Report.succeeded": lambda **given: _report().succeeded(**given),
    "verify.empirical.count": lambda **given: empirical.count(
        n_layer=2, d_model=64, vocab=100, context=32, **given
    ),
    "verify.empirical.LawEstimator.get_params": lambda **given: empirical.LawEstimator().get_params(
        **given
    ),
    "verify.empirical.Fit.report": lambda **given: empirical.from_parameters("besiroglu").report(
        **given
    ),
    "verify.empirical.RecipeComparison.report": lambda **given: empirical.compare_recipes(
        "surface", empirical.example_runs("gadre"), "rpj", bootstrap=0
    ).report(**given),
    "verify.empirical.TaskFit.report": lambda **given: empirical.fit_task(
        draw_task(np.random.default_rng(0)), bootstrap=0
    ).report(**given),
    "verify.empirical.learnability": lambda **given: empirical.learnability(
        gram=[[1.0, 0.0], [0.0, 1.0]], labels=[1.0, 2.0], **given
    ),
    "verify.empirical.measure": lambda **given: empirical.measure(
        gram=[[1.0, 0.0], [0.0, 1.0]], labels=[1.0, 2.0], **given
    ),
    "verify.check": lambda **given: verify.check("linear.mine", statement="", **given),
    "verify.judge": lambda **given: verify.judge(0.1, 0.1, None, 1.0, **given),
    "verify.judge_curve": lambda **given: verify.judge_curve([0.1], [0.1], None, 1.0, **given),
    "verify.run": lambda **given: verify.run(["linear.statics"], **given),
    "verify.reproduced.write_figures": lambda **given: reproduced.write_figures(
        "damico", "nowhere", names=["table-of-nine"], **given
    ),
    "verify.simulate.linear.gradient_descent": lambda **given: trainings.gradient_descent(
        2, _spectrum(), learning_rate=0.1, **given
    ),
    "verify.simulate.kernel_adaptation.learnability_point": lambda **given: (
        posteriors.learnability_point(20, dimension=2, rng=0, **given)
    ),
    "verify.simulate.learnability.regress_population": lambda **given: (
        regressions.regress_population(
            np.eye(3), [1.0, 2.0, 3.0], 2, ridge=1.0, draws=1, rng=0, **given
        )
    ),
    "verify.simulate.learnability.regress_digits": lambda **given: regressions.regress_digits(
        3, ridge=1.0, draws=1, rng=0, **given
    ),
    "verify.simulate.patterns.anneal_alignment": lambda **given: events.anneal_alignment(
        2, 4, levels=2, sweeps=4, on_failure="return", rng=0, **given
    ),
    "verify.simulate.patterns.learn_alignment": lambda **given: events.learn_alignment(
        2, 4, ridge_per_sample=1.0, sweeps=8, on_failure="return", rng=0, **given
    ),
    "verify.simulate.patterns.head_overlap": lambda **given: events.head_overlap(
        [1.0], 3, draws=1, rng=0, **given
    ),
    "verify.simulate.perceptron.fixed_norm": lambda **given: perceptrons.fixed_norm(
        [1.0], alpha=2.0, inputs=5, **given
    ),
    "verify.simulate.empirical.regression_curve": lambda **given: tasks.regression_curve(
        np.diag([1.0, 2.0, 3.0, 4.0]), [0.0, 1.0, 2.0, 4.0], [2], **given
    ),
    "verify.simulate.percolation.label_clusters": lambda **given: simulated.label_clusters(
        [[True, False]], **given
    ),
    "verify.simulate.percolation.lattice_clusters": lambda **given: simulated.lattice_clusters(
        (3, 3), 0.5, **given
    ),
    "verify.simulate.percolation.lattice_distances": lambda **given: simulated.lattice_distances(
        4, 2, [1], occupation=1.0, **given
    ),
    "verify.simulate.percolation.newman_ziff": lambda **given: simulated.newman_ziff(3, 2, **given),
    "verify.simulate.percolation.sample_lattices": lambda **given: simulated.sample_lattices(
        3, 2, occupation=0.5, **given
    ),
    "verify.simulate.schedules.train": lambda **given: scheduled.train(
        [0.1], solvers.PowerLawSpectrum(1.5, 0.5, 5), momentum=0.5, **given
    ),
}
# what a computation found, which nobody is asked to make
RECORDS = {
    "solvers.renormalization.FixedPoint",
    "theory.derivation.StepCheck",
    "theory.patterns.Pattern",
    "theory.patterns.PhaseDiagram",
    "theory.patterns.SampleComplexity",
    "verify.empirical.Budgets",
    "verify.empirical.fits.Solution",
    "verify.reproduced.Written",
}


def _flags(call):
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return []
    return [
        entry.name
        for entry in parameters
        if isinstance(entry.default, bool) or str(entry.annotation) in ("bool", "<class 'bool'>")
    ]


def _walk():
    """Yield every public callable with flags: its name, and the flags' names."""
    seen = set()
    for info in pkgutil.walk_packages(scalinglaws.__path__, "scalinglaws."):
        if any(part.startswith("_") for part in info.name.split(".")[1:]):
            continue
        module = import_module(info.name)
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.ismodule(thing) or not callable(thing) or id(thing) in seen:
                continue
            seen.add(id(thing))
            path = f"{info.name}.{name}".removeprefix("scalinglaws.")
            if not (inspect.isclass(thing) and issubclass(thing, Result)) and (
                own := _flags(thing)
            ):
                yield path, own
            for method, bound in vars(thing).items() if inspect.isclass(thing) else ():
                inner = getattr(bound, "__func__", bound)
                if not method.startswith("_") and callable(inner) and (own := _flags(inner)):
                    yield f"{path}.{method}", own


FOUND = dict(_walk())


def test_every_flag_is_tried():
    assert FOUND.keys() == CALLS.keys() | RECORDS


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path in CALLS for name in FOUND.get(path, ())]
)
def test_what_is_no_flag_is_refused(path, name):
    for value in NO_FLAGS:
        if name == "periodic" and value == (False, True):
            value = (False, True, True)  # two flags are right for two axes
        with pytest.raises(DomainError, match=f"{name} = .* must be True or False") as caught:
            CALLS[path](**{name: value})
        assert caught.value.argument == name


def test_one_flag_per_axis():
    assert flags("periodic", False, 3) == (False, False, False)
    assert flags("periodic", [True, False], 2) == (True, False)
    for value in ((True,), (1, 0), "no", None, ((True, False),)):
        with pytest.raises(DomainError, match="must be True or False, or a row of 2 of them"):
            flags("periodic", value, 2)
