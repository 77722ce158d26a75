"""The command line, as a stranger meets it."""

import csv
import inspect
import json
import math
import os
import pty
import re
import subprocess
import sys
import warnings
from dataclasses import replace

import pytest

from scalinglaws import __version__, solvers, theory
from scalinglaws.cli import app, run
from scalinglaws.errors import AccuracyWarning
from scalinglaws.solvers import PowerLawSpectrum, catalogue, feature_learning, linear


def call(capsys, *arguments):
    code = run(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_laws_lists_and_searches(capsys):
    code, out, _ = call(capsys, "laws")
    assert code == 0
    assert tuple(line.split()[0] for line in out.splitlines()[2:]) == theory.laws()
    code, out, _ = call(capsys, "laws", "samples, trained", "--json")
    assert [entry["name"] for entry in json.loads(out)] == ["linear.data"]
    code, out, _ = call(capsys, "laws", "nonsense")
    assert (code, out) == (1, "no law mentions 'nonsense'; scalinglaws laws lists them all\n")


def test_law_at_exact_values_in_two_notations(capsys):
    code, out, _ = call(capsys, "law", "linear.data", "alpha=3/2", "beta=0.5", "--json")
    found = json.loads(out)
    assert (code, found["value"], found["decimal"], found["regime"]) == (
        0,
        "3/4",
        0.75,
        "source-limited",
    )
    code, out, _ = call(capsys, "law", "linear.data", "--notation", "bordelon", "a=2", "b=3/2")
    assert code == 0
    assert "Min(2*b, a - 1)" in out
    assert "at a = 2, b = 3/2: g = 1 (source-limited)" in out


def test_law_on_a_boundary_shows_the_logarithm(capsys):
    _, out, _ = call(capsys, "law", "linear.model", "alpha=2", "beta=1")
    assert "g = 2 (boundary, times log N)" in out
    assert "boundary        beta = 1" in out


def test_published_formula_and_latex(capsys):
    _, out, _ = call(capsys, "law", "linear.model", "alpha=2", "beta=7/4", "--published")
    assert "published elsewhere: Min(2*alpha, alpha*beta)" in out
    assert "which would give g = 7/2 here" in out
    assert "a projection" in out
    _, out, _ = call(capsys, "law", "linear.time", "--published")
    assert "no other formula" in out
    _, out, _ = call(capsys, "law", "linear.data", "--latex")
    assert r"\min\left(2 \alpha, \alpha \beta\right)" in out


def test_derive_numbers_reasons_and_checks(capsys):
    code, out, _ = call(capsys, "derive", "linear.time", "--check")
    assert code == 0
    assert "1. L := Sum(" in out
    assert "asymptotic, t -> oo" in out
    assert "arXiv:2402.01092" in out
    assert out.count("checked:") == 4
    assert out.rstrip().endswith("Hence g = beta for alpha > 0, beta > 0.")
    _, out, _ = call(capsys, "derive", "linear.data", "--json")
    assert [entry["step"] for entry in json.loads(out)["steps"]] == list(range(1, 14))


def test_derive_concludes_in_another_papers_symbols(capsys):
    code, out, _ = call(capsys, "derive", "linear.data", "--notation", "bordelon")
    assert code == 0
    assert "13. L = c/P**Min(2*alpha, alpha*beta)" in out
    assert "Hence g = Min(2*b, a - 1) for a > 1, b > 1." in out
    assert out.rstrip().endswith("note: the steps are written with alpha = b and beta = (a - 1)/b")
    _, out, _ = call(capsys, "derive", "linear.data", "--notation", "bordelon", "--json")
    assert json.loads(out)["exponent"] == "Min(2*b, a - 1)"


@pytest.mark.parametrize(
    ("name", "notation"),
    [
        ("renormalization.stable_exponents", "measure"),
        ("renormalization.no_wilson_fisher", "conserving"),
        ("perceptron.gamma1", "squared"),
        ("linear.data", "paquette"),
    ],
)
def test_law_points_to_the_derivation_in_its_notation(capsys, name, notation):
    _, out, _ = call(capsys, "law", name, "--notation", notation)
    (command,) = re.findall(rf"scalinglaws derive ({re.escape(name)} --notation \S+)$", out, re.M)
    code, out, _ = call(capsys, "derive", *command.split(), "--json")
    law = theory.law(name).in_notation(notation)
    found = json.loads(out)
    assert (code, found["exponent"]) == (0, str(law.expr))
    assert len(found["steps"]) == len(law.derivation.steps)
    _, plain, _ = call(capsys, "law", name)
    assert re.search(rf"scalinglaws derive {re.escape(name)}$", plain, re.M)


WARNED = ("law", "learnability.half", "alpha=1", "rho=0", "s=1", "k=10")


def test_warnings_of_laws_are_lines(capsys, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, out, err = call(capsys, *WARNED)
    assert (code, err) == (0, "")
    said = [line for line in out.splitlines() if line.startswith("  warning: ")]
    assert len(said) == len(set(said)) == 2
    assert "close to the boundary between 'ridge' and 'ridgeless'" in said[0]
    assert ".py" not in out
    _, out, _ = call(capsys, *WARNED, "--json")
    assert [f"  warning: {text}" for text in json.loads(out)["warnings"]] == said
    _, out, _ = call(capsys, *WARNED, "--latex")
    assert out.count("\n\nwarning: learnability") == 2
    _, _, err = call(capsys, *WARNED, "--output", str(tmp_path / "law.md"))
    assert err == f"wrote {tmp_path / 'law.md'}\n"
    _, out, _ = call(capsys, "law", "learnability.half", "--json")
    assert "warnings" not in json.loads(out)


def test_warnings_of_comparisons_are_lines(capsys, monkeypatch):
    original = theory.compare

    def compare(*names, **values):
        warnings.warn("doubtful here", AccuracyWarning, stacklevel=1)
        return original(*names, **values)

    monkeypatch.setattr(theory, "compare", compare)
    code, out, err = call(capsys, "compare", "linear.data", "linear.model")
    assert (code, err) == (0, "")
    assert out.rstrip().endswith("\nwarning: doubtful here")
    _, out, _ = call(capsys, "compare", "linear.data", "linear.model", "--json")
    assert json.loads(out)["warnings"] == ["doubtful here"]


def test_derive_reports_a_refused_step(capsys, monkeypatch):
    from scalinglaws.theory.derivation import Derivation, StepCheck

    monkeypatch.setattr(
        Derivation, "check", lambda self: (StepCheck(False, "wrong"),) * len(self.steps)
    )
    code, out, _ = call(capsys, "derive", "linear.time", "--check")
    assert code == 1
    assert "REFUSED: wrong" in out


def test_solve_ranges_lists_and_grids(capsys):
    code, out, _ = call(
        capsys, "solve", "linear.ridge", "alpha=1.5", "beta=0.5", "samples=1e3:1e9", "--json"
    )
    found = json.loads(out)
    assert code == 0
    assert found["columns"]["samples"] == [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
    assert len(found["columns"]["test_loss"]) == 7
    assert found["diagnostics"]["status"] == "CONVERGED"
    assert found["spectrum"]["size"] == "inf"
    _, out, _ = call(
        capsys,
        "solve",
        "linear.ridge",
        "a=2",
        "b=3/2",
        "features=10,20,inf",
        "samples=5:50:2",
        "ridge=1/10",
        "--json",
    )
    assert json.loads(out)["columns"]["features"] == [10, 10, 20, 20, "inf", "inf"]
    code, out, _ = call(capsys, "solve", "linear.ridge", "alpha=1.5", "beta=0.5")
    assert code == 0
    assert "test_loss" in out


@pytest.mark.parametrize("suffix", ["csv", "json", "md", "txt"])
def test_output_files(capsys, tmp_path, suffix):
    path = tmp_path / f"table.{suffix}"
    code, out, _ = call(
        capsys,
        "solve",
        "linear.ridge",
        "alpha=1.5",
        "beta=0.5",
        "samples=10,100",
        "--output",
        str(path),
    )
    assert (code, out) == (0, "")
    text = path.read_text(encoding="utf-8")
    if suffix == "csv":
        rows = list(csv.DictReader(text.splitlines()))
        assert [float(row["samples"]) for row in rows] == [10, 100]
        assert float(rows[0]["test_loss"]) > float(rows[1]["test_loss"]) > 0
    elif suffix == "json":
        assert json.loads(text)["solver"] == "linear.ridge"
    else:
        assert "test_loss" in text


def test_verify_reports_and_exits_by_verdict(capsys, tmp_path):
    path = tmp_path / "report.json"
    code, out, err = call(
        capsys, "verify", "linear.statics", "--workers", "1", "--output", str(path)
    )
    assert (code, out) == (0, "")
    assert "2 comparisons: 2 pass; every verdict as expected" in err
    assert json.loads(path.read_text(encoding="utf-8"))["summary"]["pass"] == 2


def test_verify_fails_when_a_verdict_is_unexpected(capsys, monkeypatch):
    from scalinglaws.verify import registry

    registry.registered()
    monkeypatch.setattr(registry, "_CHECKS", {})
    registry.check("zz.crash", statement="always crashes")(lambda context: 1 / 0)
    code, out, _ = call(capsys, "verify", "zz")
    assert code == 1
    assert "ZeroDivisionError" in out
    assert "1 NOT AS EXPECTED" in out


@pytest.fixture
def own_check(monkeypatch):
    """Register a check whose measurement has a given standard error."""
    from scalinglaws.verify import Comparison, Measurement, Prediction, Rival, registry

    registry.registered()
    monkeypatch.setattr(registry, "_CHECKS", {})

    def register(name, se):
        measured = Measurement(1.0, se, 9, 10, "test", (1.0, 2.0))
        comparison = Comparison(
            f"{name}/x",
            Prediction("g", "exponent", 1.0, "t"),
            measured,
            0.1,
            rival=Rival("wrong", 2.0),
        )
        registry.check(name, statement="tested here")(lambda context: [comparison])

    return register


def test_what_decides_nothing_fails_only_if_strict(capsys, own_check):
    own_check("zz.blurred", 0.5)
    assert call(capsys, "verify", "zz")[0] == 0
    code, out, _ = call(capsys, "verify", "zz", "--strict")
    assert code == 1
    assert "inconclusive (expected pass)" in out


def test_a_demonstration_runs_the_checks_that_are_declared(capsys, own_check, monkeypatch):
    from scalinglaws.verify import registry

    own_check("zz.shown", 0.01)
    own_check("zz.other", 0.01)
    monkeypatch.setitem(
        registry._CHECKS, "zz.shown", replace(registry._CHECKS["zz.shown"], demo=True)
    )
    code, out, _ = call(capsys, "verify", "--demo")
    assert code == 0
    assert "zz.shown" in out
    assert "zz.other" not in out
    code, _, err = call(capsys, "verify", "zz.other", "--demo")
    assert code == 2
    assert "--demo chooses the checks itself" in err


def test_seconds_of_every_check_are_told_apart_from_the_report(capsys, own_check):
    own_check("zz.one", 0.01)
    own_check("zz.two", 0.01)
    code, out, err = call(capsys, "verify", "--verbose", "--json")
    assert code == 0
    json.loads(out)
    header, _, *rows = err.splitlines()
    assert header.split() == ["check", "seconds", "compilation"]
    assert {row.split()[0] for row in rows} == {"zz.one", "zz.two"}
    assert all(row.split()[2] == "0.00" for row in rows)


def test_a_report_can_be_read_back_and_turned_into_a_page(capsys, own_check, tmp_path):
    own_check("zz.sharp", 0.01)
    saved, page = tmp_path / "report.json", tmp_path / "report.html"
    assert call(capsys, "verify", "zz", "--output", str(saved))[0] == 0
    code, out, _ = call(capsys, "report", str(saved))
    assert code == 0
    assert "zz.sharp  tested here" in out
    assert json.loads(call(capsys, "report", str(saved), "--json")[1]) == json.loads(
        saved.read_text(encoding="utf-8")
    )
    assert call(capsys, "report", str(saved), "--output", str(page))[0] == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    saved.write_text("{}", encoding="utf-8")
    code, _, err = call(capsys, "report", str(saved))
    assert code == 2
    assert "lacks the keys" in err
    assert "cannot read" in call(capsys, "report", str(tmp_path / "none.json"))[2]


def test_an_interrupted_run_says_how_to_go_on(capsys, own_check, monkeypatch):
    from scalinglaws.verify import registry

    own_check("zz.a", 0.01)

    def interrupted(context):
        raise KeyboardInterrupt

    registry.check("zz.b", statement="stopped by hand")(interrupted)
    code, _, err = call(capsys, "verify", "zz", "--workers", "1")
    assert code == 130
    assert "1 of 2 checks are finished and kept; run again with --resume" in err
    seen = []
    monkeypatch.setitem(
        registry._CHECKS,
        "zz.b",
        replace(registry._CHECKS["zz.b"], function=registry._CHECKS["zz.a"].function),
    )
    registry.run(["zz"], resume=True, on_done=seen.append)
    assert seen == ["zz.a", "zz.b"]


def test_env_and_version(capsys):
    code, out, _ = call(capsys, "env", "--json")
    found = json.loads(out)
    assert (code, found["version"]) == (0, __version__)
    assert {"python", "numpy", "scipy", "numba", "sympy", "cpu"} <= set(found)
    _, out, _ = call(capsys, "--version")
    assert out.strip() == __version__


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["law", "linear.dota"], "did you mean 'linear.data'"),
        (["law", "linear.data", "alpha=1/2", "beta=1"], "holds for alpha > 1; got alpha = 1/2"),
        (["law", "linear.data", "alpha=x"], "write 3/2, 1.5, 2 or 7B"),
        (["law", "linear.data", "alpha=1e400", "beta=1"], "ordinary size"),
        (["law", "linear.data", "alpha"], "must have the form name=value"),
        (["law", "linear.data", "alpha=2", "alpha=3"], "alpha is given twice"),
        (["law", "linear.data", "alpha=2"], "needs beta"),
        (["law", "linear.data", "gamma=2"], "unknown parameter"),
        (["law", "linear.data", "--notation", "bordolon"], "did you mean 'bordelon'"),
        (["law"], "requires an argument"),
        (["derive", "linear"], "unknown law 'linear'"),
        (["derive", "linear.data", "--notation", "bordolon"], "did you mean 'bordelon'"),
        (["derive", "perceptron.gamma1", "--notation", "bordelon"], "unknown notation"),
        (["solve", "linear.rigde"], "did you mean 'linear.ridge'"),
        (["solve", "linear.ridge", "alpha=2"], "needs a spectrum"),
        (["solve", "linear.ridge", "alpha=2", "beta=1", "sample=3"], "did you mean 'samples'"),
        (
            ["solve", "linear.ridge", "alpha=2", "beta=1", "samples=many"],
            "a logarithmic range 1e3:1e9",
        ),
        (["solve", "linear.ridge", "alpha=2", "beta=1", "samples=0:10"], "positive finite ends"),
        (["solve", "linear.ridge", "alpha=2", "beta=1", "samples=1:10:1"], "whole number >= 2"),
        (["solve", "linear.ridge", "alpha=2", "beta=1", "samples=1:2:3:4"], "low:high:count"),
        (
            ["solve", "linear.ridge", "alpha=2", "beta=1", "samples=1:9:400", "features=1:9:400"],
            "at most 100000",
        ),
        (
            ["solve", "linear.ridge", "alpha=2", "beta=1", "samples=1:9:999999999"],
            "at most 100000 points",
        ),
        (["solve", "linear.ridge", "alpha=2", "beta=1", "samples=0"], "must be >= 1"),
        (
            ["solve", "linear.ridge", "alpha=2", "beta=1", "--output", "x.gif"],
            "one of .csv, .json, .md, .pdf, .png, .svg, .tex, .txt",
        ),
        (
            ["solve", "linear.ridge", "alpha=2", "beta=1", "--output", "/no/such/x.csv"],
            "there is no folder",
        ),
        (["verify", "linear.static"], "did you mean 'linear.statics'"),
        (["verify", "--effort", "heroic"], "must be 'quick' or 'full'"),
        (["verify", "--seed", "1.9"], "1.9"),
        (["verify", "--workers", "0"], "workers = 0"),
        (["frobnicate"], "frobnicate"),
        (["laws", "--yaml"], "--yaml"),
    ],
)
def test_bad_requests_say_what_is_allowed(capsys, arguments, complaint):
    code, out, err = call(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert complaint in err
    assert "Traceback" not in err


def test_interrupt_and_closed_pipe(capsys, monkeypatch):
    from scalinglaws import cli

    def interrupted(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    assert call(capsys, "laws")[0] == 130
    command = f"{sys.executable} -m scalinglaws laws | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == ""


def test_rich_on_a_terminal_plain_in_a_pipe():
    command = [sys.executable, "-m", "scalinglaws", "env"]
    piped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "\x1b" not in piped
    main, side = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(command, stdout=side, stderr=side, env=environment)
    os.close(side)
    shown = b""
    while True:
        try:
            chunk = os.read(main, 4096)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    assert process.wait() == 0
    assert b"\x1b[" in shown
    assert b"scalinglaws" in shown


SOLVE = {
    "kernel_adaptation.linear_cnn": [
        "samples=100:1000",
        "ridge=1",
        "scale=100",
        "channels=1000",
        "patches=10",
        "patch_size=50",
    ],
    "kernel_adaptation.samples_for_alignment": [
        "alignment=0.2,0.5",
        "dimension=100",
        "width=100,1000",
    ],
    "kernel_adaptation.samples_for_cost": ["cost=100,200", "alignment=0.5", "power=1"],
    "kernel_adaptation.two_layer": [
        "target=1",
        "degrees=1",
        "dimension=100",
        "width=1000",
        "scale=1000",
        "ridge_per_sample=0.1,0.01",
    ],
    "kernel_adaptation.two_layer_thresholds": [
        "target=1",
        "degrees=1",
        "dimension=100",
        "width=1000",
        "scale=500,1000",
        "perpendicular=concentrated",
    ],
    "patterns.aligned_neurons": ["width=10,100", "dimension=100", "degree=1,3"],
    "learnability.alignment_cost": ["eigenvalue=0.1,0.01", "alignment=0.5,1"],
    "learnability.arcsine_sphere_eigenvalue": ["dimension=10,64", "degree=1,3"],
    "learnability.effective_ridge": ["samples=10,100", "ridge=0.1,1"],
    "learnability.learning_curve": ["samples=0.1:1000", "ridge=0.1"],
    "learnability.samples_for_learnability": ["ridge=0.1,1", "mode_eigenvalue=0.1,0.01"],
    "learnability.samples_for_target": ["ridge=0.1,1", "learnability=0.5,0.9"],
    "learnability.unlearnability": ["ridge=0.1,1", "size=3"],
    "renormalization.convolved_likelihood": ["couplings=0.5", "variance=0.1,1"],
    "renormalization.dimensionless_flow": [
        "quadratic=0.1",
        "quartic=2",
        "alpha=0.5",
        "scale=1,2",
    ],
    "renormalization.flow_velocity": ["quadratic=0.1,0.2", "quartic=1", "alpha=0.5"],
    "renormalization.infrared_scale": ["samples=100,1000", "ridge=0.1"],
    "renormalization.integrated_variance": ["cutoff=1,10"],
    "renormalization.ridge_flow": ["samples=60", "ridge=0.05", "cutoff=5,20"],
    "renormalization.shell_recursion": [
        "quadratic=0.5,1",
        "quartic=1",
        "eigenvalues=1",
        "cutoff=0",
    ],
    "renormalization.truncated_flow": ["couplings=0.5", "variance=0.1,1"],
    "linear.ridge": ["samples=10:1000"],
    "linear.gradient_flow": ["t=1e0:1e12", "features=1e9", "samples=1e10"],
    "linear.gradient_descent": ["steps=100,1000", "learning_rate=0.1", "momentum=0,0.5"],
    "linear.online_sgd": ["steps=1:1000", "learning_rate=0.1", "batch=4"],
    "linear.sgd_stability": ["learning_rate=0.1,1", "batch=4"],
    "linear.compute_frontier": ["compute=1e8:1e10", "dynamics=sgd"],
    "linear.loss_surface": ["features=10,100", "time=1:100", "dynamics=flow"],
    "linear.time_for_loss": ["loss=0.1,0.01", "features=1e4,1e5"],
    "linear.features_for_loss": ["loss=0.1,0.01"],
    "linear.samples_for_loss": ["loss=0.1,0.05", "features=1e4"],
    "linear.effective_ridge": ["samples=10,100"],
    "linear.degrees_of_freedom": ["kappa=1e-3,1e-2"],
    "linear.learnability": ["k=1,10,100", "samples=50"],
    "feature_learning.gradient_flow": ["t=1e0:1e10", "richness=0,1"],
    "feature_learning.static_limit": ["samples=10,100", "features=50"],
    "feature_learning.crossover_time": ["richness=1e-2,1e-3"],
    "feature_learning.compute_frontier": ["compute=1e6,1e7", "richness=1"],
    "feature_learning.linear_network": ["t=1,10", "richness=1", "features=inf"],
    "feature_learning.gradient_descent": ["steps=20", "relative_rate=1.5", "richness=0,1"],
    "feature_learning.online_dmft": ["steps=20", "batch=10", "learning_rate=0.1", "richness=0,1"],
    "feature_learning.reuse_dmft": ["steps=20", "samples=10", "learning_rate=0.1", "richness=0,1"],
    "feature_learning.circle_flow": ["t=1:100", "activation_power=1", "target_exponent=0.8,1"],
    "schedules.train": ["schedule=wsd:0.2", "rate=0.1,0.2", "steps=1000", "batch=4"],
    "schedules.accumulated_noise": [
        "schedule=linear",
        "rate=0.1,0.2",
        "steps=500",
        "decay_rate=1",
        "exponent=1.4",
    ],
    "schedules.functional_law": ["schedule=linear", "rate=0.1,0.2", "steps=1000", "batch=4"],
    "schedules.tuned_rate": ["schedule=linear", "steps=500,1000", "batch=4"],
    "schedules.optimal_cooldown": ["steps=100,1000", "batch=8", "noise_variance=1"],
    "schedules.optimal_schedule": ["steps=100,1000", "batch=8", "noise_variance=1"],
    "schedules.stability": ["schedule=cosine", "rate=0.1,0.2", "steps=1000", "batch=4"],
    "percolation.allocate": ["alpha=1", "size=30", "n=10,100", "exponents=0.5"],
    "percolation.zipf_model_loss": ["n=1e3:1e15", "alpha=1", "exponent=0.5,1"],
    "percolation.data_loss": ["samples=1e2:1e12", "alpha=1", "exponent=0.5,1"],
    "percolation.data_loss_expansion": ["samples=1e4:1e8", "alpha=1", "exponent=0.5,1"],
    "percolation.crossover_model_loss": [
        "n=1e1:1e6",
        "alpha=1",
        "exponent=0.5",
        "crossover_rank=100,1000",
    ],
    "percolation.crossover_data_loss": ["samples=1e1:1e6", "alpha=1", "exponent=0.5"],
    "percolation.infinite_component_loss": [
        "n=1:1e4",
        "crossover=16",
        "exponent_euclidean=2/3",
        "exponent_fractal=0.8",
    ],
    "percolation.cluster_learning_curve": ["u=0.1:100"],
    "percolation.cluster_size_probability": ["size=1:1e6:7", "coordination=12", "occupation=1/11"],
    "percolation.dual_occupation": ["coordination=12", "occupation=0.05,0.1,0.2"],
    "percolation.exponents": ["dimension=2:7", "smoothness=2,4"],
    "percolation.infinite_cluster": ["coordination=12", "occupation=0.09,0.1,0.2"],
    "percolation.bethe_data_loss": [
        "samples=1e2:1e6",
        "clusters=1000",
        "coordination=12",
        "occupation=0.09",
        "exponent=0.5",
    ],
    "percolation.emergence": ["rank=1:10", "alpha=1", "exponent=0.5,1"],
    "percolation.distinct_clusters": ["samples=1e2:1e12", "alpha=1"],
    "percolation.pruned_data_loss": ["samples=1e2:1e12", "alpha=0.5,1"],
    "percolation.nearest_distance": ["distance=1:100", "density=0.01", "coordination=6,12"],
    "percolation.mean_nearest_distance": ["density=1e-4:1e-1", "coordination=12", "moment=1,2"],
    "perceptron.fixed_norm": ["alpha=1:100", "norm=0.1,1", "loss=logistic"],
    "perceptron.surface": ["alpha=1:100", "norm=0.1,1"],
    "perceptron.ridge": ["alpha=1:100", "penalty=0.1,1"],
    "perceptron.optimal_norm": ["alpha=1:1e6"],
    "perceptron.master_curve": ["x=0.01:100"],
    "perceptron.bayes": ["alpha=1:100"],
    "perceptron.gibbs": ["alpha=1:100"],
    "perceptron.hebb": ["alpha=1:100"],
    "perceptron.max_stability": ["alpha=1:100"],
    "perceptron.gradient_flow": ["norm=0.1:100"],
    "patterns.log_tail": ["n=2", "s=3,6"],
    "patterns.cube_rate": ["deviation=0.5,2"],
    "patterns.specialized_cost": ["n=100,400", "d=100"],
    "patterns.gaussian_cost": ["n=100,400", "d=100", "inflation=1"],
    "patterns.alignment_rate": ["n=20", "d=10,20"],
    "patterns.log_alignment": ["n=5,10", "d=10", "samples=100", "rng=0"],
    "patterns.attention_overlap": ["coupling=0.5,1", "length=16"],
}


def test_every_solver_that_says_what_to_show_is_called_here():
    assert set(SOLVE) == set(catalogue.available())


@pytest.mark.parametrize("name", SOLVE)
def test_every_solver_in_the_table_answers(capsys, name, tmp_path):
    takes = inspect.signature(catalogue.solver(name)).parameters
    arguments = [
        "solve",
        name,
        *(["alpha=1.5", "beta=0.5"] if "spectrum" in takes else []),
        *SOLVE[name],
    ]
    code, out, err = call(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    columns = json.loads(out)["columns"]
    varied = math.prod(value.count(",") + 1 for value in SOLVE[name] if ":" not in value)
    rows = {len(column) for column in columns.values()}
    assert len(rows) == 1
    assert rows.pop() % varied == 0
    assert set(catalogue.shown(catalogue.solver(name)).columns) <= set(columns)
    picture = tmp_path / "picture.png"
    assert call(capsys, *arguments, "--output", str(picture))[0] == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_solved_numbers_are_the_solvers(capsys):
    _, out, _ = call(
        capsys,
        "solve",
        "linear.gradient_flow",
        "alpha=1.5",
        "beta=0.5",
        "t=1,10",
        "features=20,30,40",
        "--json",
    )
    columns = json.loads(out)["columns"]
    assert columns["features"] == [20, 20, 30, 30, 40, 40]
    assert columns["t"] == [1, 10] * 3
    sizes = [[20], [30], [40]]
    found = linear.gradient_flow([1, 10], PowerLawSpectrum(1.5, 0.5), features=sizes)
    assert columns["test_loss"] == found.test_loss.ravel().tolist()
    _, out, _ = call(
        capsys,
        "solve",
        "linear.loss_surface",
        "alpha=1.5",
        "beta=0.5",
        "features=20,30",
        "time=1,10,100",
        "--json",
    )
    columns = json.loads(out)["columns"]
    assert columns["features"] == [20, 20, 20, 30, 30, 30]
    assert (
        columns["loss"]
        == linear.loss_surface([20, 30], [1, 10, 100], PowerLawSpectrum(1.5, 0.5))
        .loss.ravel()
        .tolist()
    )
    _, out, _ = call(
        capsys,
        "solve",
        "linear.time_for_loss",
        "alpha=1.5",
        "beta=0.5",
        "loss=0.1",
        "features=1e3,1e4",
        "--json",
    )
    columns = json.loads(out)["columns"]
    assert columns["time"] == [
        linear.time_for_loss(0.1, PowerLawSpectrum(1.5, 0.5), features=n) for n in (1e3, 1e4)
    ]


MARCH = [
    "solve",
    "feature_learning.reuse_dmft",
    "alpha=1.5",
    "beta=0.5",
    "samples=20",
    "learning_rate=0.2",
]


def test_a_march_fills_the_rows_with_its_steps(capsys, tmp_path):
    path = tmp_path / "rows.csv"
    assert (
        call(capsys, *MARCH, "richness=0,1", "features=10,20", "steps=60", "--output", str(path))[0]
        == 0
    )
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 4 * 61
    for i, row in enumerate(rows):
        assert (int(row["steps"]), float(row["features"])) == (i % 61, (10, 20)[i // 61 % 2])
    found = feature_learning.reuse_dmft(
        60, PowerLawSpectrum(1.5, 0.5), features=20, samples=20, learning_rate=0.2, richness=1
    )
    for name in ("test_loss", "train_loss", "scale"):
        assert [float(row[name]) for row in rows[-61:]] == getattr(found, name).tolist()


def test_a_screen_shows_some_of_many_steps(capsys, tmp_path):
    code, out, _ = call(capsys, *MARCH, "richness=1", "steps=400")
    lines = out.splitlines()
    assert code == 0
    assert lines[1] == "samples = 20, learning_rate = 0.2, richness = 1"
    shown = [int(line.split()[0]) for line in lines[5 : lines.index("", 5)]]
    assert shown[:4] == [0, 1, 2, 3]
    assert shown[-1] == 400
    assert 20 < len(shown) <= 40
    assert f"{len(shown)} of 401 rows; --json or --output FILE has all of them" in lines[-1]
    assert "401 rows" not in call(capsys, *MARCH, "richness=1", "steps=30")[1]
    assert (
        len(
            json.loads(call(capsys, *MARCH, "richness=1", "steps=400", "--json")[1])["columns"][
                "steps"
            ]
        )
        == 401
    )
    path = tmp_path / "all.txt"
    assert call(capsys, *MARCH, "richness=1", "steps=400", "--output", str(path))[0] == 0
    assert len(path.read_text(encoding="utf-8").splitlines()) > 401
    _, out, _ = call(capsys, *MARCH, "richness=0,0.5,1,2,3,4,5", "steps=100")
    assert out.count("\n0.5 ") == 8


def test_a_warning_says_which_run_it_is_about(capsys):
    code, out, err = call(
        capsys, *MARCH[:-1], "learning_rate=0.5", "richness=0,1", "steps=20", "--json"
    )
    assert code == 0
    (line,) = [line for line in err.splitlines() if "richness = 1" in line]
    assert line.startswith("warning: richness = 1: reuse_dmft: learning_rate times scale is")
    assert line.removeprefix("warning: ") in json.loads(out)["warnings"]


SHARED = """
import warnings
from dataclasses import dataclass

import numpy as np

from scalinglaws.solvers.catalogue import shows

__all__ = ["Shares", "shared"]


@shows("share", "total", along="weights", whole=("weights",))
@dataclass(frozen=True)
class Shares:
    weights: np.ndarray
    share: np.ndarray
    total: float


def shared(weights, n, *, alpha, size=1.0, names="plain") -> Shares:
    array = np.array(weights)
    if len(set(weights)) < len(weights):
        warnings.warn("equal weights", UserWarning, stacklevel=1)
    return Shares(array, n * array**alpha / np.sum(array**alpha), n * size)


@shows("hidden")
def hidden(n):
    return n
"""


@pytest.fixture
def new_theory(monkeypatch, tmp_path):
    """Add a theory with a solver that takes no spectrum, and one argument whole: a file, and nothing else."""
    (tmp_path / "zz.py").write_text(SHARED, encoding="utf-8")
    monkeypatch.setattr(solvers, "__path__", [*solvers.__path__, str(tmp_path)])
    yield
    sys.modules.pop("scalinglaws.solvers.zz", None)
    vars(solvers).pop("zz", None)


def test_solvers_without_a_spectrum_and_arguments_taken_whole(capsys, new_theory):
    code, out, err = call(
        capsys,
        "solve",
        "zz.shared",
        "weights=1,3",
        "n=4,8",
        "alpha=1,2",
        "size=2",
        "names=other",
        "--json",
    )
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert data["spectrum"] is None
    assert data["columns"] == {
        "names": ["other"] * 8,
        "n": [4, 4, 4, 4, 8, 8, 8, 8],
        "alpha": [1, 1, 2, 2] * 2,
        "size": [2] * 8,
        "weights": [1, 3] * 4,
        "share": pytest.approx([1, 3, 0.4, 3.6, 2, 6, 0.8, 7.2]),
        "total": [8] * 4 + [16] * 4,
    }
    _, out, _ = call(capsys, "solve", "zz.shared", "weights=1,3", "n=4", "alpha=2")
    assert out.splitlines()[0] == "zz.shared: n = 4, alpha = 2"
    assert out.splitlines()[2].split() == ["weights", "share", "total"]
    code, _, err = call(capsys, "solve", "zz.shared", "weights=2,2", "n=4,5", "alpha=2")
    assert (code, err) == (0, "warning: n = 4: equal weights\nwarning: n = 5: equal weights\n")
    assert "unknown argument of zz.shared 'beta'" in call(capsys, "solve", "zz.shared", "beta=2")[2]
    assert "needs n=, alpha=" in call(capsys, "solve", "zz.shared", "weights=2")[2]
    assert "did you mean 'zz.shared'" in call(capsys, "solve", "zz.hidden", "n=2")[2]


def test_the_frontier_names_its_phase(capsys):
    _, out, _ = call(capsys, "solve", "linear.compute_frontier", "a=1.7", "b=1.4", "compute=1e14")
    assert "phase Ia: loss C^-0.2917, features C^0.4167 (linear.compute)" in out
    assert "894301.6" in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["linear.gradient_flow"], "linear.gradient_flow needs t="),
        (["linear.online_sgd", "steps=5"], "needs batch=, learning_rate="),
        (["linear.gradient_flow", "t=3,2"], "must not decrease"),
        (["linear.compute_frontier", "compute=1e9", "dynamics=adam"], "must be 'sgd' or 'flow'"),
        (
            ["linear.gradient_flow", "t=3", "--output", "x.png"],
            "a picture needs an argument that varies",
        ),
        (
            ["feature_learning.reuse_dmft", "steps=5,6", "learning_rate=1", "richness=1"],
            "steps must be one number, the last one",
        ),
        (
            ["feature_learning.reuse_dmft", "steps=5.5", "learning_rate=1", "richness=1"],
            "steps = 5.5 must be a whole number",
        ),
        (
            ["feature_learning.online_dmft", "steps=5", "learning_rate=1", "richness=1"],
            "needs batch=",
        ),
        (
            [
                "feature_learning.online_dmft",
                "steps=1e6",
                "batch=1",
                "learning_rate=1",
                "richness=1",
                "method=march",
            ],
            "GB",
        ),
        (
            [
                "feature_learning.reuse_dmft",
                "steps=5",
                "learning_rate=1",
                "richness=1",
                "modes=all",
            ],
            "must be 'merged' or 'full'",
        ),
        (
            ["feature_learning.circle_flow", "t=1"],
            "unknown argument of feature_learning.circle_flow 'alpha'",
        ),
    ],
)
def test_solve_refuses(capsys, arguments, complaint):
    code, _, err = call(capsys, "solve", arguments[0], "alpha=1.5", "beta=0.5", *arguments[1:])
    assert code == 2
    assert complaint in err


# -- the calculus -----------------------------------------------------------------------------------------------------------


def test_allocate_sets_constants_aside_and_compares_values(capsys):
    terms, budget = "A*N**-a + B*D**-b + E", "6*N*D=C"
    values = ["a=1/3", "b=0.4", "A=400", "B=410", "E=1.7"]
    code, out, _ = call(capsys, "allocate", terms, "--budget", budget, *values)
    assert code == 0
    assert "excess over E, which no allocation changes" in out
    assert "number 1, C^(-2/11)" in out
    assert "2. " not in out
    code, out, _ = call(capsys, "allocate", terms, "--budget", budget, *values, "C=1e20")
    assert code == 0
    assert "= 0.129" in out
    code, out, _ = call(
        capsys,
        "allocate",
        "N**-a + D**-b + N**-c",
        "--budget",
        "N*D=C",
        "a=1",
        "b=1",
        "c=2",
        "--json",
    )
    found = json.loads(out)
    assert code == 0
    assert len(found["balances"]) == 2
    assert found["irreducible"] is None
    assert found["winner"]["value"] == "-1/2"


def test_allocate_shows_every_balance_and_the_winner(capsys):
    code, out, _ = call(
        capsys, "allocate", "A*N**-a + B*D**-b", "--budget", "6*N*D=C", "a=1/3", "b=0.4"
    )
    assert code == 0
    assert "N ~ A**(1/(a + b))" in out
    assert "exactly times" in out
    assert "number 1, C^(-2/11)" in out
    code, out, _ = call(
        capsys, "allocate", "N**-1 + D**-0.5", "--budget", "N*D=C", "--cap", "D<=D_0", "--json"
    )
    data = json.loads(out)
    assert {entry["value"] for entry in data["balances"]} == {"1/sqrt(D_0)", "C**(-1/3)"}
    code, out, _ = call(capsys, "allocate", "K**-3 + v*K", "--free", "K", "v=1/16", "--json")
    assert json.loads(out)["winner"] == {"balance": 1, "scale": None, "value": "1/8", "tied": False}


def test_compare_says_where_derivations_part(capsys):
    code, out, _ = call(capsys, "compare", "linear.data", "linear.model", "alpha=2", "beta=3")
    assert code == 0
    assert "the exponents differ" in out
    assert "part at step 5" in out
    code, out, _ = call(capsys, "compare", "linear.time", "linear.time", "--json")
    data = json.loads(out)
    assert (data["agree"], data["first_differing_step"]) == (True, None)


def test_cite_prints_and_writes_bibtex(capsys, tmp_path):
    code, out, _ = call(capsys, "cite", "linear.time")
    assert code == 0
    assert out.count("@") == 2
    path = tmp_path / "laws.bib"
    assert call(capsys, "cite", "linear.time", "--output", str(path))[0] == 0
    assert path.read_text(encoding="utf-8") == out


def test_law_explains_and_shows_formulas(capsys):
    code, out, _ = call(capsys, "law", "linear.model", "--explain")
    assert code == 0
    assert out.startswith("# linear.model")
    assert "## Derivation" in out
    code, out, _ = call(capsys, "law", "empirical.chinchilla")
    assert "isoflop" in out
    assert "standing  ansatz" in out
    code, out, _ = call(capsys, "law", "linear.compute", "alpha=1/2", "beta=2")
    assert "unknown power of log C" in out
    code, out, _ = call(capsys, "law", "linear.compute_model", "alpha=2", "beta=1/2", "--json")
    assert json.loads(out)["value"] == "1/3"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["allocate", "N**-1 + N"], "give --free"),
        (["allocate", "N^2", "--budget", "N=C"], "write ** for powers"),
        (["allocate", "N**-1 + D**-1", "--budget", "N*D"], "must have the form monomial=bound"),
        (["allocate", "N**-1 + D**-1", "--free", "N,D"], "all terms vanish"),
        (
            ["allocate", "1/N + D", "--budget", "N*D=C", "--cap", "D=3"],
            "must have the form monomial<=bound",
        ),
        (["compare", "linear.data", "linear.model", "gamma=2"], "parameter of neither law"),
        (["compare", "linear.data", "linear.modell"], "did you mean 'linear.model'"),
        (["cite", "linear.tim"], "did you mean"),
        (["cite", "linear.time", "--output", "x.csv"], "must be one of .bib, .txt"),
        (
            ["allocate", "1/N + N", "--free", "N", "--scale", "Q"],
            "unknown symbol of the problem 'Q'",
        ),
    ],
)
def test_bad_requests_to_the_calculus(capsys, arguments, complaint):
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert complaint in err


def _commands(parent):
    for name in parent:
        if not name.startswith("-"):
            yield parent[name]
            yield from _commands(parent[name])


def test_every_argument_of_every_command_is_explained_in_one_paragraph():
    found = [command for command in _commands(app) if command.default_command is not None]
    assert len(found) > 20
    for command in found:
        for argument in command.assemble_argument_collection(parse_docstring=True):
            if argument.show:
                assert argument.parameter.help, (command.name, argument.name)
                assert "\n" not in argument.parameter.help, (command.name, argument.name)


def test_a_short_range_of_whole_numbers_has_them_all(capsys):
    code, out, _ = call(capsys, "solve", "percolation.exponents", "dimension=2:7", "--json")
    assert code == 0
    assert json.loads(out)["columns"]["dimension"] == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("asked", "exponent", "note"),
    [
        (["percolation.model", "d=3", "c=4"], "1.58546", "alpha = 4.2884 +- 0.0013, beta"),
        (["percolation.data", "d=2", "c=2"], "0.945055", "alpha = 86/5, beta = 96/91"),
        (["percolation.quanta", "d=2"], "17.2", "d = 2: tau = 187/91"),
        (["percolation.supercritical", "d=3", "c=2"], "0.792729", "D = 2.52293 +- 0.00010"),
    ],
)
def test_laws_of_percolation_at_a_dimension(capsys, asked, exponent, note):
    code, out, _ = call(capsys, "law", *asked)
    assert code == 0
    assert exponent in out
    assert note in out


def test_half_a_dimension_is_refused(capsys):
    code, _, err = call(capsys, "law", "percolation.model", "d=5/2", "c=2")
    assert code == 2
    assert "must be a whole number >= 2" in err
