"""Task accuracy in two steps: what was put in comes out, by another algorithm too, and what nobody can know is refused."""

import json
from dataclasses import replace

import numba
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import xlogy

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.checks.empirical.accuracy import CURVE, TARGET, draw_task, task_loss
from scalinglaws.verify.empirical import TaskFit, fit_task
from scalinglaws.verify.empirical.fits._accuracy_curve import fit_sigmoids, sigmoid

CHANCE = 0.25
TRUTH = np.array([CURVE[name] for name in ("u", "k", "m")])


def drawn(seed=0, **changed):
    return draw_task(np.random.default_rng(seed)) | changed


@pytest.fixture(scope="module")
def found():
    return fit_task(drawn(), counts="total", bootstrap=400)


def codes(fit):
    return [warning.code for warning in fit.warnings]


def expected(target=TARGET):
    return float(sigmoid(np.atleast_1d(task_loss(*target)), TRUTH, CHANCE)[0])


# -- what comes out -----------------------------------------------------------------------------------------------------


def test_without_noise_all_parameters_come_out():
    table = drawn()
    loss = task_loss(table["params"], table["tokens"])
    table |= {"task_loss": loss, "acc": sigmoid(loss, TRUTH, CHANCE)}
    found = fit_task(table, counts="total", bootstrap=0)
    np.testing.assert_allclose(found.curve, TRUTH, rtol=1e-6)
    at = found.predict(*TARGET)
    assert at.accuracy == pytest.approx(expected(), abs=1e-6)
    assert at.loss == pytest.approx(task_loss(*TARGET), abs=1e-5)
    assert np.isnan([at.low, at.high, at.loss_low, at.loss_high]).all()
    assert at.horizon == pytest.approx(np.log10(TARGET[0] * TARGET[1] / 1.6e20))
    assert found.scatter < 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_scipy_finds_the_same_likelihood(seed):
    """Nelder and Mead on the likelihood of counts, without derivatives, with and without a ceiling that is given."""
    rng = np.random.default_rng(seed)
    table = drawn(seed)
    loss, share = table["task_loss"], table["acc"]
    weights = rng.multinomial(18, np.full(18, 1 / 18)).astype(float)

    def minus_log(u, k, m):
        p = np.clip(sigmoid(loss, np.array([u, abs(k), m]), CHANCE), 1e-12, 1 - 1e-12)
        return -1000 * np.sum(weights * (xlogy(share, p) + xlogy(1 - share, 1 - p)))

    own = fit_sigmoids(loss, share, weights[None], items=1000, chance=CHANCE)
    given = fit_sigmoids(loss, share, weights[None], items=1000, chance=CHANCE, ceiling=0.9)
    assert own.settled.all()
    assert given.settled.all()
    options = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 4000, "maxfev": 4000}
    best = minimize(
        lambda x: minus_log(*x) if x[0] <= 1 else np.inf,
        [0.9, 4, 2.6],
        method="Nelder-Mead",
        options=options,
    )
    np.testing.assert_allclose(own.parameters[0], best.x, rtol=2e-5)
    best = minimize(lambda x: minus_log(0.9, *x), [4, 2.6], method="Nelder-Mead", options=options)
    np.testing.assert_allclose(given.parameters[0], [0.9, *best.x], rtol=2e-5)
    full = np.ones((1, 18))
    lone = fit_sigmoids(loss, share, full, items=1000, chance=CHANCE).parameters[0]
    both = fit_sigmoids(loss, share, np.vstack([full, weights]), items=1000, chance=CHANCE)
    np.testing.assert_array_equal(both.parameters, [lone, own.parameters[0]])


def test_a_ceiling_of_one_is_a_bound(found):
    """Accuracies that go on to 1 give u = 1, which is said."""
    table = drawn()
    table["acc"] = np.clip(
        sigmoid(table["task_loss"], TRUTH + np.array([0.15, 0, 0]), CHANCE), 0, 1
    )
    bound = fit_task(table, counts="total", bootstrap=0)
    assert bound.curve[0] == 1
    assert "W-at-bound" in codes(bound)
    assert "W-at-bound" not in codes(found)


def test_few_draws_hold_the_reference():
    """18 runs, noise 0.01, 1000 questions, accuracies 0.26 to 0.77: the target of 0.868 to 0.025, without bias."""
    errors = []
    for seed in range(16):
        fit = fit_task(drawn(seed), counts="total", bootstrap=0)
        at = fit.predict(*TARGET)
        errors.append([at.accuracy - expected(), np.log(at.loss / task_loss(*TARGET))])
    assert expected() == pytest.approx(0.868, abs=1e-3)
    assert np.std(errors, axis=0) == pytest.approx([0.026, 0.026], rel=0.5)
    assert np.all(np.abs(np.mean(errors, axis=0)) < 0.026)


@pytest.mark.slow
def test_many_draws_hold_the_reference():
    """Error -.001 +- .025 of the accuracy and -.005 +- .026 of ln L, coverage .92 and .94, ceiling .95 +- .046."""
    errors, covered, ceilings = [], np.zeros(2), []
    sets = 200
    truth = expected(), float(task_loss(*TARGET))
    for seed in range(sets):
        fit = fit_task(drawn(seed), counts="total", bootstrap=500, rng=seed)
        at = fit.predict(*TARGET)
        errors.append([at.accuracy - truth[0], np.log(at.loss / truth[1])])
        covered += [
            at.low <= truth[0] <= at.high,
            at.loss_low <= truth[1] <= at.loss_high,
        ]
        ceilings.append(fit.curve[0])
    print(np.mean(errors, axis=0), np.std(errors, axis=0), covered / sets)
    print(np.mean(ceilings), np.std(ceilings))
    assert np.mean(errors, axis=0) == pytest.approx([-0.001, -0.005], abs=0.006)
    assert np.std(errors, axis=0) == pytest.approx([0.025, 0.026], rel=0.15)
    assert covered / sets == pytest.approx([0.92, 0.94], abs=0.05)
    assert np.mean(ceilings) == pytest.approx(0.95, abs=0.01)
    assert np.std(ceilings) == pytest.approx(0.046, rel=0.15)


# -- what is refused ----------------------------------------------------------------------------------------------------


def weak():
    """Return runs none of which is good."""
    table = drawn()
    kept = table["acc"] < 0.45
    return {name: column[kept] for name, column in table.items()}


def test_no_accuracy_far_above_the_best_unless_the_midpoint_was_passed():
    fit = fit_task(weak(), counts="total", bootstrap=200)
    assert not fit.midpoint_passed
    assert codes(fit)[0] == "W-midpoint"
    with pytest.raises(DataError, match="no run passed the midpoint.*ceiling="):
        fit.predict(*TARGET)
    with pytest.raises(DataError, match=r"N = 1\.94e\+10"):
        fit.predict([3e8, TARGET[0]], [3e9, TARGET[1]])
    near = fit.predict(3e8, 6e9)
    assert near.accuracy < fit.accuracy.max() + 0.1
    given = fit_task(weak(), counts="total", bootstrap=200, ceiling=0.95)
    assert given.curve[0] == 0.95
    assert np.all(given.samples[:, 0] == 0.95)
    assert "W-midpoint" not in codes(given)
    assert given.predict(*TARGET).accuracy > 0.7
    assert "as given" in given.report()


ERRORS = {
    "percent": (drawn(acc=100 * drawn()["acc"]), r"row 1: acc = \d+\.?\d* is above 1: in percent\?"),
    "percent in a few": (drawn(acc=np.append(drawn()["acc"][:-1], 77.0)), "row 18: acc = 77 is above 1"),
    "negative": (drawn(acc=np.append(drawn()["acc"][:-1], -0.1)), "row 18: acc = -0.1 must be a share"),
    "empty": (drawn(acc=[*drawn()["acc"][:-1].tolist(), None]), "row 18: the cell of acc is empty"),
    "words": (drawn(acc=["good"] * 18), "row 1: acc = 'good' is no number"),
    "chance": (drawn(acc=np.full(18, 0.26)), "no run is above chance"),
    "alike": (drawn(acc=np.full(18, 0.6)), "do not differ"),
    "few": ({name: column[:6] for name, column in drawn().items()} | {"acc": np.linspace(0.3, 0.6, 6)}, "too few"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_of_the_data(name):
    table, complaint = ERRORS[name]
    with pytest.raises(DataError, match=complaint):
        fit_task(table, counts="total", bootstrap=0)


ARGUMENTS = {
    "chance": ({"chance": 1}, "chance"),
    "items": ({"items": 0}, "items"),
    "ceiling": ({"ceiling": 0.2}, r"above chance, 0\.25"),
    "ceiling above one": ({"ceiling": 1.2}, "ceiling"),
    "bootstrap": ({"bootstrap": -1}, "bootstrap"),
    "loss": ({"loss": "tsk_loss"}, "task_loss"),
    "accuracy": ({"accuracy": "accuracy"}, "acc"),
    "accuracy as an array": ({"accuracy": [0.3] * 18}, "name a column"),
    "option": ({"row": "all"}, "options"),
    "columns": ({"columns": 3}, "columns"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_are_checked(name):
    options, complaint = ARGUMENTS[name]
    with pytest.raises(DomainError, match=complaint):
        fit_task(drawn(), **({"bootstrap": 0} | options))


def test_runs_that_were_read_take_an_array(found):
    table = drawn()
    runs = empirical.read_runs(
        {name: table[name] for name in ("params", "tokens", "task_loss")},
        columns={"loss": "task_loss"},
        counts="total",
    )
    same = fit_task(runs, accuracy=table["acc"], bootstrap=400)
    np.testing.assert_array_equal(same.samples, found.samples)
    with pytest.raises(DomainError, match="array"):
        fit_task(runs)
    with pytest.raises(DomainError, match="18"):
        fit_task(runs, accuracy=[0.3, 0.4])
    with pytest.raises(DomainError, match="were read"):
        fit_task(runs, accuracy=table["acc"], rows="all")


# -- what it says -------------------------------------------------------------------------------------------------------


def test_intervals_and_predictions(found):
    for name in ("E", "a", "u", "k", "m"):
        low, high = found.interval(name)
        assert low <= found.parameters[name] <= high
    wide = found.predict([2e9, TARGET[0]], [[8e10], [TARGET[1]]])
    assert wide.accuracy.shape == (2, 2)
    assert np.all((wide.low <= wide.accuracy) & (wide.accuracy <= wide.high))
    assert np.all((wide.loss_low <= wide.loss) & (wide.loss <= wide.loss_high))
    assert wide.horizon[0, 0] == pytest.approx(0)
    narrow = found.predict(*TARGET, level=0.5)
    assert narrow.high - narrow.low < wide.high[1, 1] - wide.low[1, 1]
    with pytest.raises(DomainError, match="parameter"):
        found.interval("x")
    with pytest.raises(DomainError, match="bootstrap"):
        fit_task(drawn(), counts="total", bootstrap=0).interval("u")
    with pytest.raises(DomainError, match="params"):
        found.predict(-1, 1e9)


def test_the_report_is_short_and_whole(found):
    at = found.predict([TARGET[0], 7e10], [TARGET[1], 1.4e12])
    words = found.report(at)
    lines = words.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert f"{at.accuracy[0]:.3f}" in words
    assert at.summary() in words
    assert "18 runs" in words
    assert "7 of 18 runs" in words or "of 18 runs are past the midpoint" in words
    assert repr(found).startswith("<TaskFit of acc in 18 runs: 0.25 to 0.")
    assert "add runs" in found.report(verbose=True)
    with pytest.raises(DomainError, match="prediction"):
        found.report(3)


def test_scatter_beyond_questions_and_below_chance_are_said():
    table = drawn()
    shaken = np.clip(table["acc"] + 0.05 * np.random.default_rng(0).normal(size=18), 0, 1)
    assert "W-accuracy-scatter" in codes(fit_task(table | {"acc": shaken}, bootstrap=0))
    assert "W-accuracy-scatter" not in codes(fit_task(table, bootstrap=0))
    shaken = table["acc"].copy()
    shaken[0] = 0.15
    assert "W-below-chance" in codes(fit_task(table | {"acc": shaken}, bootstrap=0))


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_it_is_saved_and_read(found, tmp_path, suffix):
    again = TaskFit.load(found.save(tmp_path / f"task.{suffix}"))
    assert again == found
    assert again.report() == found.report()
    at = found.predict(*TARGET)
    assert type(at).from_json(at.to_json()) == at


def test_what_does_not_belong_together_is_no_fit(found):
    whole = json.loads(found.to_json())
    with pytest.raises(DataError):
        TaskFit.from_json(json.dumps(whole).replace('"curve"', '"bend"'))
    short = replace(found, accuracy=found.accuracy[1:])
    with pytest.raises(DataError, match="accuracy must hold finite numbers"):
        TaskFit.from_json(short.to_json())
    with pytest.raises(DataError, match="first step"):
        TaskFit.from_json(replace(found, fit=None).to_json())
    with pytest.raises(DomainError, match="must end in"):
        found.save("task.txt")


def test_the_number_of_threads_changes_nothing(found):
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = fit_task(drawn(), counts="total", bootstrap=400)
    finally:
        numba.set_num_threads(threads)
    assert alone.to_json() == found.to_json()
    assert json.loads(found.to_json())
    other = fit_task(drawn(), counts="total", bootstrap=400, rng=1)
    assert other.to_json() != found.to_json()
    np.testing.assert_array_equal(other.curve, found.curve)


def test_a_run_with_many_rows_is_drawn_as_one():
    """`rows="all"` at a constant rate: resamples hold all points of a run or none."""
    table = drawn()
    twice = {name: np.repeat(column, 2) for name, column in table.items()}
    twice |= {
        "run": np.repeat([f"r{j}" for j in range(18)], 2),
        "step": np.tile([1, 2], 18),
        "lr": np.ones(36),
    }
    twice["tokens"] = twice["tokens"] * np.tile([0.5, 1.0], 18)
    fit = fit_task(twice, counts="total", rows="all", bootstrap=20)
    assert len(fit) == 36
    last = fit_task(twice, counts="total", bootstrap=0)
    np.testing.assert_array_equal(last.accuracy, table["acc"])


def test_what_no_sigmoid_of_the_loss_can_be_is_refused():
    table = drawn()
    wrong = 1 + CHANCE - table["acc"]
    with pytest.raises(DataError, match=r"acc rises with the task's loss \(correlation \+0\.\d+\)"):
        fit_task(table | {"acc": wrong}, counts="total", bootstrap=0)
    with pytest.raises(DataError, match="do not differ"):
        fit_task(table | {"acc": np.ones(18)}, counts="total", bootstrap=0)
    with pytest.raises(DomainError, match=r"ceiling = 0\.5 is below the best accuracy of the runs"):
        fit_task(table, counts="total", bootstrap=0, ceiling=0.5)
    just = float(np.max(table["acc"])) - 0.01  # within what 1000 questions scatter
    assert fit_task(table, counts="total", bootstrap=0, ceiling=just).curve[0] == just
    with pytest.raises(DataError, match=r"acc = '27\.9%' is no number; write 0\.279, or 27\.9"):
        fit_task(table | {"acc": ["27.9%"] * 18}, counts="total", bootstrap=0)


def test_slopes_and_midpoints_at_a_bound_are_said():
    table = drawn()
    steep = np.where(table["task_loss"] < np.median(table["task_loss"]), 0.7, CHANCE)
    found = fit_task(table | {"acc": steep}, counts="total", bootstrap=0)
    (told,) = (warning.message for warning in found.warnings if warning.code == "W-at-bound")
    assert told.startswith("k = ")


@pytest.mark.filterwarnings("error")
def test_a_model_next_to_nothing_has_chance(found):
    told = found.predict(1e-300, 1e-300)
    assert told.accuracy == pytest.approx(CHANCE)
    assert max(map(len, told.summary().splitlines())) <= 100
