"""Write ``docs/errata.md``: where the package differs from what is in print, from the laws and from what checks find.

Run it as ``python tests/write_errata.py`` after a law's ``published`` or ``misprints``, or a check that refutes one, has changed; it
runs those checks, which takes some minutes.
"""

import math
import re
import sys
from pathlib import Path

import numpy as np
import sympy as sp
from scipy import integrate, optimize, stats

# of the checkout that this file belongs to, whichever is installed
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scalinglaws import solvers, theory, verify
from scalinglaws.solvers import patterns as pattern_costs
from scalinglaws.theory import rendering
from scalinglaws.verify import registry
from scalinglaws.verify.simulate import percolation as clusters

COMMAND = "python tests/write_errata.py"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "errata.md"
MANY = 4  # regimes: with more, a formula takes lines that nobody reads

HEAD = f"""# Where the package differs from print

Formulas that are printed and that the package contradicts, and what decides between the two: a check in which the printed formula is the
rival of a comparison and is rejected, a number that can be computed in a line, and the derivation, each step of which a machine checks.
`scalinglaws law NAME --published` shows an entry on the command line, `law.published` and `law.misprints` in Python. This page is written
by `{COMMAND}`; a test compares it with the laws and the checks. Measured numbers are those of `--seed 0`.

*Printed* exponents and constants stand for what the package says otherwise, *misprints* are slips on the way to a law that is itself right
in print."""


# -- numbers that decide, for what no check tests -----------------------------------------------------------------------


def flow_sign():
    """Losses under gradient flow with either sign, after a time of 2."""
    task, t = solvers.PowerLawSpectrum(alpha=1.5, beta=0.5, size=10_000), 2.0
    eigenvalues, signal = task.explicit()
    start, right = float(signal.sum()), float(solvers.linear.gradient_flow(t, task).test_loss)
    wrong = float(signal @ np.exp(2 * eigenvalues * t))
    return {"loss at t = 0": start, "at t = 2": right, "at t = 2 with the printed sign": wrong}


def modes_learned():
    """Count modes of which more than half is learned by the time 1e4."""
    alpha, t = 1.5, 1e4
    k = np.arange(1, 10_001)
    found = int(np.sum(-np.expm1(-(k**-alpha) * t) > 0.5))
    return {
        "modes more than half learned at t = 1e4, alpha = 3/2": found,
        "t^(1/alpha)": t ** (1 / alpha),
        "t^alpha": t**alpha,
    }


def compute_sign():
    """Losses at the best size for two budgets."""
    found = solvers.linear.compute_frontier(
        [1e8, 1e12], solvers.PowerLawSpectrum(alpha=1.5, beta=0.5)
    )
    early, late = np.asarray(found.loss)
    return {
        "least loss at C = 1e8": float(early),
        "at C = 1e12": float(late),
        "derived slope": -float(theory.law("linear.compute")(alpha=1.5, beta=0.5)),
        "found between them": math.log(late / early) / math.log(1e4),
    }


def estimator():
    """Mean squared errors of both predictions on the same clusters, with two training sites and with fifteen."""
    data = clusters.bethe_dataset(100, smallest=1000, largest=100_000, rng=0)
    return {
        f"mean squared error with {count} training sites, {which}": float(
            clusters.learning_curves(data, [count], estimator=name, rng=1).test_loss.mean()
        )
        for count in (2, 15)
        for which, name in (("printed", "published"), ("corrected", "consistent"))
    }


def three_layer():
    """Minimize the costs of both patterns at N_1 = N_2 = d^2."""
    d = 1e4
    return {
        "least d M + N_2/M at d = 1e4, N_1 = N_2 = 1e8": _least(lambda m: d * m + d**2 / m),
        "least cost of S(1) G(3)": _least(lambda m, b: d * m + d**2 * b / m + d**2 / b),
    }


def neurons():
    """Minimize the cost of S(1) G(3) over both of its parameters."""
    d, first, second = 1e3, 1e7, 1e9
    found = _best(lambda m, b: d * m + first * b / m + second / b)
    return {
        "M_1 of the least cost at d = 1e3, N_1 = 1e7, N_2 = 1e9": float(found[0]),
        "(N_1 N_2/d^2)^(1/3)": (first * second / d**2) ** (1 / 3),
        "(N_1 d/d^2)^(1/3)": (first * d / d**2) ** (1 / 3),
    }


def target():
    """Integrate the overlap with both targets over two positions, coupling and value one; the third feature by hand.

    The average over x_3 joins the value of position b with the feature x_3 of the same position.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(48)
    weights = weights / weights.sum()
    x, y = np.meshgrid(nodes, nodes, indexing="ij")
    mass = np.multiply.outer(np.outer(weights, weights), np.outer(weights, weights))
    first = x[:, :, None, None], y[:, :, None, None]  # x_1 of positions 1 and 2
    second = x[None, None], y[None, None]  # x_2
    scores = [[np.exp(-a * b) for b in second] for a in first]
    shares = [[row[b] / (row[0] + row[1]) for b in range(2)] for row in scores]
    weight = [shares[0][b] + shares[1][b] for b in range(2)]
    printed = sum(weight) * (first[0] * second[0] + first[1] * second[1])
    corrected = (first[0] + first[1]) * sum(weight[b] * second[b] for b in range(2))
    known = pattern_costs.attention_overlap(1.0, length=2)
    return {
        "overlap with the printed target, L = 2": round(float((mass * printed).sum()), 12) + 0.0,
        "with the corrected one": float((mass * corrected).sum()) / 2**1.5,
        "-h_L/sqrt(L)": -float(known) / math.sqrt(2),
    }


def overlap():
    """Integrate the overlap of erf(w x) with He_3 at w_1 = 1/2, |w| = 1."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    x, z = np.meshgrid(nodes, nodes, indexing="ij")
    neuron = np.vectorize(math.erf)(x / 2 + z * math.sqrt(3) / 2)
    found = np.einsum("i,j,ij->", weights, weights, neuron * (x**3 - 3 * x))
    return {
        "overlap with He_3 at w_1 = 1/2, |w| = 1": float(found),
        "the formula": -4 / math.sqrt(math.pi) / 8 * 3**-1.5,
        "w_1^3": 1 / 8,
    }


def cubic_tail():
    """Compute the tail of a cube far out."""
    return {
        "-log P(a^3 > 1000)": -float(stats.norm.logsf(10.0)),
        "t^(2/3)/2": 50.0,
        "t^(2/3)": 100.0,
    }


def gaussian_process():
    """Compute the probability that a normal number of small variance exceeds one."""
    found = -float(stats.norm.logsf(1 / math.sqrt(1e-3)))
    return {"-log P(A > 1) at lambda = 1e-3": found, "1/(2 lambda)": 500.0, "1/lambda": 1000.0}


def posterior():
    """Integrate the mean of a normal output of variance 1 that has seen y = 1 with a noise of variance 1/4."""

    def mean(scale):
        def moment(power):
            return integrate.quad(
                lambda f: f**power * math.exp(-f * f / 2 - (f - 1) ** 2 / scale), -12, 12
            )[0]

        return moment(1) / moment(0)

    return {
        "posterior mean at kappa^2 = 1/4, y = 1": mean(0.5),
        "Gaussian regression, K y/(K + kappa^2)": 0.8,
        "without the 1/2": mean(0.25),
    }


def half_learned():
    """Count the samples that teach half of a mode without ridge, whose eigenvalue is 1/k^2."""
    found = {}
    for mode in (10, 100):
        others = np.arange(1, 10**6 + 1, dtype=float)
        learned = np.sum(1 / (1 + (others / mode) ** 2)) + mode**2 / (10**6 + 0.5)
        found[f"samples for half of mode {mode}, lambda_k = 1/k^2, no ridge"] = float(learned)
        found[f"1/lambda_{mode}"] = float(mode**2)
    return found


def action():
    """Integrate the variance of a mode of eigenvalue 1/4 under both actions."""

    def variance(rate):
        def moment(power):
            return integrate.quad(lambda f: f**power * math.exp(-rate * f * f), -12, 12)[0]

        return moment(2) / moment(0)

    return {
        "variance of a mode of eigenvalue 1/4 under f^2/(2 lambda)": variance(2.0),
        "under f^2/lambda": variance(4.0),
    }


def wilson_fisher():
    """Solve for the zero of the flow that conserves momentum, alpha = 1, from a start next to it."""

    def rates(point):
        r, u = point
        return [2 * r + u / (1 + r), 3 * u - 3 * u**2 / (1 + r) ** 2]

    found = optimize.root(rates, [-0.3, 0.5], tol=1e-13)
    return {
        "R at a zero with U > 0 where momentum is conserved, alpha = 1": float(found.x[0]),
        "U there": float(found.x[1]),
    }


def perceptron(alpha, norm):
    """Solve the replica equations of the logistic loss at fixed norm, by the margin: the generalization error."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    edges = np.concatenate([[0.0], np.geomspace(1e-7 * min(1, norm), 60, 240)])
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    v, w = (middle[:, None] + half[:, None] * nodes).ravel(), np.outer(half, weights).ravel()
    v, w = np.concatenate([-v, v]), np.concatenate([w, w])
    force, bend = 2 / (1 + np.exp(2 * v)), 1 / np.cosh(v) ** 2

    def equations(logs):
        tau, chi = np.exp(logs)
        s = 1 / math.sqrt(1 + tau**2)
        push, jacobian = chi * norm * force, 1 / norm + chi * norm * bend
        field = v / norm - push
        with np.errstate(under="ignore"):
            plain = stats.norm.pdf(field, scale=s)
            skew = 2 * stats.norm.pdf(field) * stats.norm.cdf(tau * field)
        first, second = (
            float(np.sum(w * part * jacobian)) for part in (plain * push, skew * push**2)
        )
        constant = alpha * math.sqrt(2 / math.pi)
        return [math.log(constant * first / (tau * s)), math.log(alpha * second / s**2)]

    tau = math.sqrt(2 * alpha / math.pi * (1 + 3.244 * norm))
    tau = min(tau, 0.764 * alpha + math.sqrt(0.637 * alpha))
    start = math.log(tau / math.sqrt(1 + tau**2) / (alpha * math.sqrt(2 / math.pi) * norm))
    found = optimize.root(equations, [math.log(tau), start], tol=1e-13)
    assert np.max(np.abs(found.fun)) < 1e-11
    return math.atan(math.exp(-found.x[0])) / math.pi


def _least_error(alpha):
    """Return the error at the best norm."""
    return optimize.minimize_scalar(
        lambda log: perceptron(alpha, alpha * math.exp(log)), bounds=(-1, 1), method="bounded"
    ).fun


def absolute():
    """Compute slopes of the perceptron's error, at fixed norm and at the best one."""
    low, high = 1e3, 1e4
    zero = [math.atan(math.sqrt(math.pi / 2 / alpha)) for alpha in (low, high)]
    least = [_least_error(alpha) for alpha in (low, high)]
    fixed = [perceptron(alpha, 3.0) for alpha in (low, high)]

    def slope(values):
        return math.log(values[0] / values[1]) / math.log(high / low)

    return {
        "exponent of the perceptron's error at the norm 3, alpha from 1e3 to 1e4": slope(fixed),
        "at the best norm": slope(least),
        "of the error there over that at zero norm": slope(least) - slope(zero),
    }


def _best(cost):
    """Return the positive arguments at which a cost is least."""
    count = cost.__code__.co_argcount
    found = optimize.minimize(
        lambda logs: math.log(cost(*np.exp(logs))),
        np.ones(count),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-14, "maxiter": 4000},
    )
    assert found.success
    return np.exp(found.x)


def _least(cost):
    return float(cost(*_best(cost)))


NUMBERS = {
    "linear.time/flow-sign": flow_sign,
    "linear.time/modes-learned": modes_learned,
    "linear.compute/compute-sign": compute_sign,
    "learnability.half": half_learned,
    "percolation.cluster_learning/estimator": estimator,
    "patterns.three_layer": three_layer,
    "patterns.three_layer/neurons": neurons,
    "patterns.attention/target": target,
    "patterns.two_layer/overlap": overlap,
    "patterns.two_layer/cubic-tail": cubic_tail,
    "patterns.unlearnability_bound/gaussian-process": gaussian_process,
    "patterns.unlearnability_bound/posterior": posterior,
    "perceptron.composite": absolute,
    "renormalization.no_wilson_fisher/fixed-point": wilson_fisher,
    "renormalization.stable_exponents/action": action,
}
"""Numbers beside a published formula (by the law's name) or a misprint (by both names)."""


# -- the page -----------------------------------------------------------------------------------------------------------


def laws():
    """Return the laws with an entry."""
    found = [theory.law(name) for name in theory.laws()]
    return [law for law in found if law.published is not None or law.misprints]


def refuting(law):
    """Return the checks in which the law's printed formula is a rival."""
    return [check for check in registry.registered().values() if law in check.refutes]


def checks():
    """Name the checks whose numbers are on the page: those of quick effort."""
    found = {check.name for law in laws() for check in refuting(law.name)}
    return sorted(name for name in found if registry.registered()[name].effort == "quick")


def page(report):
    """Return the text of the page, with the numbers of a report of `checks`."""
    return "\n\n".join([HEAD, *(block for law in laws() for block in entry(law, report))]) + "\n"


def entry(law, report):
    """Return one law's paragraphs."""
    yield f"## `{law.name}`"
    yield plain(sentence(law.statement))
    if law.published is not None:
        yield from printed(law)
        yield "\n".join(evidence(law, report))
    for slip in law.misprints:
        yield (
            f"**Misprint** ({plain(slip.source)}): {plain(slip.printed)}. It should be "
            f"{plain(slip.correct)}: {plain(slip.reason)}."
        )
        yield numbers(f"{law.name}/{slip.name}")


def printed(law):
    """Return what is printed and what is derived, as formulas and at an example."""
    published, point = law.published, law.published.point
    same = sp.simplify(published.expr - law.expr) == 0
    here = "" if same or len(law.regimes) > MANY else f", here ${sp.latex(law.expr)}$"
    title, how = (
        ("Put together from print", "put together")
        if published.combined
        else ("Printed", "printed")
    )
    yield (
        f"**{title}** ({plain(str(published.reference))}): {'the same ' if same else ''}exponent "
        f"${sp.latex(published.expr)}${here}. {plain(sentence(published.reason))}"
    )
    if point:
        at = ", ".join(f"{name} = {value}" for name, value in point.items())
        found = rendering.data(law.blocks(point))["published"]
        values = (
            f"the printed formula tends to {found['factor_here']:.4f} times the derived one"
            if same
            else f"{law(**point)} here, {found['value']} as {how}"
        )
        yield f"At {plain(at)}: {values}."


def evidence(law, report):
    """Return what stands against the printed formula, as a list."""
    for check in refuting(law.name):
        effort = "" if check.effort == "quick" else " --effort full"
        found = [
            judged(entry)
            for entry in report.comparisons
            if entry.id.startswith(f"{check.name}/") and about(entry)
        ]
        told = "; ".join(found) or plain(check.statement)
        yield f"* `scalinglaws verify {check.name}{effort}`: {told}."
    if law.name in NUMBERS:
        yield f"* {numbers(law.name)}"
    yield f"* `scalinglaws derive {law.name} --check`: {len(law.derivation.steps)} steps, checked by machine."


def about(comparison):
    """Say whether a comparison has what is printed as its rival."""
    return comparison.rival is not None and "published" in comparison.rival.name


def judged(comparison):
    """Say what was measured, and the verdicts."""
    measured = comparison.measurement
    values = [
        np.atleast_1d(part.value)[-1]
        for part in (measured, comparison.prediction, comparison.rival)
    ]
    error = float(np.atleast_1d(measured.se)[-1])
    where = (
        ""
        if comparison.prediction.x is None
        else f" at {np.atleast_1d(comparison.prediction.x)[-1]:.4g}"
    )
    spread = "" if measured.deterministic else f" ± {error:.1g}"
    verdicts = f"the printed formula gives {values[2]:.4g} and is {words(comparison.rival_verdict)}"
    derived = "" if comparison.prediction.kind == "ranking" else f" derived {values[1]:.4g};"
    return f"{comparison.prediction.name}{where}, {kind(comparison)}: {values[0]:.4g}{spread};{derived} {verdicts}"


def kind(comparison):
    """Say what the numbers come from."""
    return "simulated" if comparison.evidence == "simulation" else "computed by the solver"


def words(verdict):
    """Say a verdict."""
    return {"fail": "rejected", "pass": "not rejected", "inconclusive": "not decided"}[verdict]


def numbers(key):
    """Return the numbers of an entry as a sentence."""
    found = NUMBERS[key]()
    return (
        "Computed: "
        + "; ".join(f"{plain(what)}: {value:.6g}" for what, value in found.items())
        + "."
    )


def plain(text):
    """Escape what Markdown would read as markup."""
    return re.sub(r"([\\*_<>$])", r"\\\1", text)


def sentence(text):
    """Begin with a capital letter and end with one stop."""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", ".)")) else ".")


if __name__ == "__main__":
    PAGE.write_text(page(verify.run(checks(), rng=0)), encoding="utf-8")
    print(f"wrote {PAGE}")
