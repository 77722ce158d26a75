"""Checks are chosen by name, run in isolation, and never hide one another."""

import dataclasses
import sys
from concurrent.futures import BrokenExecutor

import numba
import numpy as np
import pytest

from scalinglaws import theory, verify
from scalinglaws.errors import DomainError, WorkerError
from scalinglaws.verify import Comparison, Measurement, Prediction, Rival, registry
from scalinglaws.verify.registry import Context, check, select


@pytest.fixture
def scratch(monkeypatch):
    registry.registered()
    monkeypatch.setattr(registry, "_CHECKS", dict(registry._CHECKS))


def good(name, value=1.0):
    return Comparison(
        name,
        Prediction("g", "exponent", 1.0, "test"),
        Measurement(value, 0.01, 9, 10, "test", (1.0, 2.0)),
        0.1,
        rival=Rival("wrong", 2.0),
    )


def test_selection_by_name_theory_and_pattern(scratch):
    check("linear.slow", statement="slow", effort="full")(lambda context: [])
    names = [entry.name for entry in select(None, "quick")]
    assert "linear.statics" in names
    assert "linear.slow" not in names
    assert "linear.slow" in [entry.name for entry in select(["linear"], "full")]
    assert [entry.name for entry in select(["linear.slow"], "quick")] == ["linear.slow"]
    # a law's name, which leading parts of checks' names can be as well, stands for all checks that test it
    assert [entry.name for entry in select(["linear.data"], "quick")] == [
        "empirical.learning-curve",
        "linear.asymmetry",
        "linear.data.saturated",
        "linear.data.source-limited",
    ]
    assert [entry.name for entry in select("*.saturated", "quick")] == [
        "linear.data.saturated",
        "linear.model.saturated",
    ]
    with pytest.raises(DomainError, match="use effort='full'"):
        select(["linear.slo*"], "quick")


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: select(["linear.static"], "quick"), "did you mean 'linear.statics'"),
        (lambda: select([], "quick"), "names is empty"),
        (lambda: select(None, "heroic"), "must be 'quick' or 'full'"),
        (lambda: verify.run(["linear.statics"], rng=-1), "rng = -1"),
        (lambda: verify.run(["linear.statics"], rng=1.5), "rng = 1.5"),
        (lambda: verify.run(["linear.statics"], workers=0), "workers = 0"),
        (lambda: check("linear.statics", statement=""), "registered already"),
        (lambda: check("x.y", statement="", laws=["linear.dat"]), "did you mean 'linear.data'"),
        (lambda: check("x.y", statement="", laws="linear.data"), "a sequence of names"),
        (
            lambda: check("x.y", statement="", laws=["linear.data"], no_law="why"),
            "does not go with laws",
        ),
        (lambda: verify.checks_of("linear.dat"), "unknown law 'linear.dat'"),
        (lambda: check("x.y", statement="", effort="some"), "effort = 'some'"),
        (lambda: check("x.y", statement="", expect="fail"), "reason, evidence"),
        (lambda: check("x.y", statement="", expect=("fail", "", "")), "reason, evidence"),
    ],
)
def test_refusals(scratch, call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call()


def test_every_shipped_check_declares_its_laws_or_why_it_tests_none():
    for entry in registry.registered().values():
        if entry.function.__module__.startswith("scalinglaws."):
            assert bool(entry.laws) != bool(entry.no_law), entry.name


def test_checks_of_a_law_are_those_that_declare_it(scratch):
    assert verify.checks_of("linear.data") == (
        "empirical.learning-curve",
        "linear.asymmetry",
        "linear.data.saturated",
        "linear.data.source-limited",
    )
    assert verify.checks_of("manifold.width_variance") == ("manifold.width-variance",)
    check("zz.own", statement="own", laws=["manifold.width_variance"])(lambda context: [])
    check("zz.bare", statement="declares nothing")(lambda context: [])
    assert verify.checks_of("manifold.width_variance") == ("manifold.width-variance", "zz.own")
    assert registry.registered()["zz.bare"].laws == ()


def test_theories_are_what_has_checks_or_laws():
    assert set(registry.theories()) == {name.split(".")[0] for name in verify.available()} | {
        name.split(".")[0] for name in theory.laws()
    }
    assert {"linear", "manifold", "perceptron", "empirical"} <= set(registry.theories())


def test_all_modules_of_checks_are_found(root):
    folder = root / "scalinglaws" / "verify" / "checks"
    registry.registered()
    for path in folder.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        assert ".".join(parts[:-1] if parts[-1] == "__init__" else parts) in sys.modules


def test_a_crash_is_an_error_and_hides_nothing(scratch):
    @check("zz.crash", statement="crashes")
    def crash(context):
        yield good("zz.crash/first")
        raise RuntimeError("the roof is on fire")

    @check("zz.fine", statement="is fine")
    def fine(context):
        return [good("zz.fine/only")]

    report = verify.run(["zz"])
    assert [entry.verdict for entry in report.entries] == ["pass", "error", "pass"]
    assert [comparison.verdict for comparison in report.comparisons] == ["pass", "pass"]
    assert [crash.check for crash in report.crashes] == ["zz.crash"]
    assert not report.as_expected
    assert report.summary["error"] == 1
    assert any("the roof is on fire" in note for note in report.notes())


def test_a_check_without_comparisons_is_an_error(scratch):
    check("zz.empty", statement="does nothing")(lambda context: [])
    report = verify.run(["zz.empty"])
    assert [entry.verdict for entry in report.entries] == ["error"]
    assert report.comparisons == ()


def test_a_comparison_that_cannot_be_judged_is_an_error_of_its_check(scratch):
    def broken(context):
        yield Comparison(
            "zz.broken",
            Prediction("g", "exponent", 1.0, "t"),
            Measurement(1.0, 0.1, 9, 1, "t", (1.0, 2.0)),
            -0.1,
        )

    check("zz.broken", statement="nonsense")(broken)
    report = verify.run(["zz.broken"])
    assert "tolerance = -0.1" in report.crashes[0].error
    assert report.to_json()


def test_known_disagreements_are_expected_and_their_disappearance_is_not(scratch):
    expect = ("fail", "the formula neglects 1/N", "simulation of 2020")
    check("zz.known", statement="known", expect=expect)(lambda context: [good("zz.known", 3.0)])
    check("zz.gone", statement="gone", expect=expect)(lambda context: [good("zz.gone", 1.0)])
    known, gone = verify.run(["zz.known"]), verify.run(["zz.gone"])
    assert known.as_expected
    assert not gone.as_expected
    assert [comparison.id for comparison in known.known_disagreements] == ["zz.known"]
    assert "neglects 1/N; simulation of 2020" in known.to_text()
    assert known.succeeded(strict=True)
    assert not gone.succeeded()


def test_what_decides_nothing_fails_a_strict_run_only(scratch):
    def blurred(context):
        measured = Measurement(1.0, 1.0, 9, 10, "test", (1.0, 2.0))
        yield Comparison(
            "zz.blur",
            Prediction("g", "exponent", 1.0, "t"),
            measured,
            0.1,
            rival=Rival("wrong", 2.0),
        )

    check("zz.blur", statement="blurred")(blurred)
    report = verify.run(["zz.blur"])
    assert report.comparisons[0].verdict == "inconclusive"
    assert not report.as_expected
    assert report.succeeded()
    assert not report.succeeded(strict=True)
    assert "1 NOT AS EXPECTED" in report.summary_line()


def test_compilation_is_timed_apart(scratch, monkeypatch):
    def compiles(context):
        root = float(context.root)

        @numba.njit
        def fresh(x):
            return x + root

        fresh(1.0)
        yield good("zz.compiles")

    check("zz.compiles", statement="compiles")(compiles)
    found = verify.run(["zz.compiles"])
    assert found.crashes == ()
    assert found.environment["compile_s"] > 0
    assert (
        found.environment["compile_s"] + found.environment["run_s"] <= found.environment["wall_s"]
    )
    assert found.comparisons[0].wall_s == pytest.approx(found.environment["run_s"])


def test_streams_depend_on_root_name_and_replicate_alone():
    def draw(root, check, name, replicate):
        return Context(check, "quick", root).generator(name, replicate).random()

    reference = draw(0, "a", "x", 0)
    assert draw(0, "a", "x", 0) == reference
    others = {
        draw(1, "a", "x", 0),
        draw(0, "b", "x", 0),
        draw(0, "a", "y", 0),
        draw(0, "a", "x", 1),
    }
    assert len(others | {reference}) == 5


def test_users_checks_run_in_other_processes(scratch):
    check("zz.one", statement="one")(lambda context: [good("zz.one")])
    check("zz.two", statement="two")(lambda context: [good("zz.two")])
    assert verify.run(["zz"], workers=2).as_expected


def test_what_compiles_longest_is_begun_first_and_the_report_stays_in_order(scratch):
    for name, seconds in (("zz.a", 0.0), ("zz.b", 1.0), ("zz.c", 0.0), ("zz.d", 9.0)):
        check(name, statement="", compiles=seconds)(lambda context: [good(context.check)])
    seen = []
    report = verify.run(["zz"], on_done=seen.append)
    assert seen == ["zz.d", "zz.b", "zz.a", "zz.c"]
    assert [comparison.id for comparison in report.comparisons] == ["zz.a", "zz.b", "zz.c", "zz.d"]


def test_seconds_of_every_check_are_kept(scratch, tmp_path):
    check("zz.one", statement="one")(lambda context: [good("zz.one")])
    for resume in (False, True):
        report = verify.run(["zz", "manifold"], folder=tmp_path, resume=resume)
        assert list(report.seconds) == [
            "manifold.model-resolution",
            "manifold.nearest-neighbor",
            "manifold.spectral",
            "manifold.variance-limited",
            "manifold.variance-limited-model",
            "manifold.width-variance",
            "zz.one",
        ]
        assert sum(run for run, _ in report.seconds.values()) == pytest.approx(
            report.environment["run_s"]
        )
        assert sum(compiled for _, compiled in report.seconds.values()) == pytest.approx(
            report.environment["compile_s"]
        )


def test_the_demonstration_is_ten_quick_checks_of_ten_theories():
    chosen = [entry for entry in registry.registered().values() if entry.demo]
    assert len(chosen) == len({entry.theory for entry in chosen}) == 10
    assert {entry.effort for entry in chosen} == {"quick"}


def test_a_generator_seeds_a_run(scratch):
    check("zz.seeded", statement="one")(lambda context: [good(f"zz.{context.root}")])
    one, two = (verify.run(["zz.seeded"], rng=np.random.default_rng(5)) for _ in range(2))
    assert one.comparisons[0].id == two.comparisons[0].id


@pytest.mark.parametrize("asked", registry.EFFORTS)
@pytest.mark.parametrize("name", verify.available())
def test_every_check_named_in_full_runs_at_its_own_least_effort(
    scratch, tmp_path, monkeypatch, name, asked
):
    entry = registry.registered()[name]
    own = "full" if "full" in (entry.effort, asked) else "quick"
    seen = []

    def stand_in(context):
        seen.append(context.effort)
        yield good(f"{name}/stand-in")

    registry._CHECKS[name] = dataclasses.replace(entry, function=stand_in, expect="pass")
    for other in select([name], asked):  # where a law has this name, all checks that test it
        if other.name != name:
            made = [good(f"{other.name}/stand-in")]
            registry._CHECKS[other.name] = dataclasses.replace(
                other, function=lambda context, made=made: made, expect="pass"
            )
    found = verify.run([name], effort=asked, folder=tmp_path)
    assert seen == [own]
    assert found.as_expected
    note = f"run at full effort, the least of {name}"
    (here,) = (made for made in found.comparisons if made.id == f"{name}/stand-in")
    assert here.notes == ((note,) if own != asked else ())
    if own != asked:
        assert note in found.to_text()


def test_a_check_of_full_effort_is_kept_as_such(scratch, tmp_path):
    check("linear.slow", statement="slow", effort="full")(lambda context: [good("linear.slow/a")])
    verify.run(["linear.slow"], folder=tmp_path)
    check("linear.slower", statement="slow", effort="full")(_must_not_run)
    registry._CHECKS["linear.slow"] = dataclasses.replace(
        registry._CHECKS["linear.slow"], statement="again"
    )
    resumed = verify.run(["linear.slow"], effort="full", folder=tmp_path, resume=True)
    assert resumed.comparisons[0].notes == ()  # what is kept says nothing of how it was asked for
    with pytest.raises(DomainError, match="needs? full effort|use effort='full'"):
        select(["linear.slowe*"], "quick")


def _must_not_run(context):
    raise AssertionError


def test_a_worker_that_dies_leaves_finished_checks(scratch, tmp_path):
    check("linear.a", statement="")(lambda context: [good("linear.a/one")])
    check("linear.b", statement="")(lambda context: [good("linear.b/one")])

    def one_of_two(function, jobs):
        yield function(next(iter(jobs)))
        raise BrokenExecutor("a process was killed.")

    with pytest.raises(WorkerError) as caught:
        verify.run(["linear.a", "linear.b"], folder=tmp_path, workers=one_of_two)
    assert str(caught.value) == (
        "a worker process died (a process was killed); 1 of 2 checks are finished and kept: "
        "run again with resume=True (--resume) to go on from there"
    )
    assert list(caught.value.finished) == ["linear.a"]
    done = []
    again = verify.run(["linear.a", "linear.b"], folder=tmp_path, resume=True, on_done=done.append)
    assert done == ["linear.a", "linear.b"]
    assert len(again.comparisons) == 2
