r"""
Register a check of your own
============================

A check is a function that yields comparisons. Registered under a name, it runs beside the
shipped ones: same seeds, same verdicts, same report.

The claim here is one of the quanta picture. If skill :math:`k` is needed with probability
:math:`p_k \propto k^{-(\alpha+1)}`, then what P samples have not shown, the missing mass, falls as
:math:`P^{-\alpha/(\alpha+1)}`.
"""

# %%
# The simulation
# --------------
# It draws skills and adds up what was not seen. It knows nothing of the claim.

import numpy as np
from scalinglaws import verify
from scalinglaws.verify.estimate import measure, same_estimator
from scipy.special import zeta

ALPHA = 0.8
SAMPLES = np.array([200, 600, 1800, 5400, 16200])


def missing_mass(rng, draws=40):
    """Return the mass of the skills that the first P draws have not shown, for each P, averaged over data sets."""
    total = np.zeros(SAMPLES.size)
    for _ in range(draws):
        drawn = rng.zipf(ALPHA + 1, SAMPLES[-1]).astype(float)
        total += [1 - np.sum(np.unique(drawn[:count]) ** -(ALPHA + 1)) / zeta(ALPHA + 1) for count in SAMPLES]
    return total / draws


# %%
# The theory
# ----------
# The mean is :math:`\sum_k p_k (1-p_k)^P`. At these sizes it is not yet a pure power, so its own fit in the same window
# is the fair prediction; the asymptotic exponent is told in a note.

k = np.arange(1, 2_000_001)
p = k ** -(ALPHA + 1) / zeta(ALPHA + 1)
tail = k[-1] ** -ALPHA / ALPHA / zeta(ALPHA + 1)
curve = [np.sum(p * np.exp(count * np.log1p(-p))) + tail for count in SAMPLES]

# %%
# The check
# ---------
# The tolerance is the largest deviation at which we would still call the claim right, fixed before the run. The rival
# is wrong but plausible, the exponent of a model's size: the same data must reject it. Ten streams of random numbers,
# one per replicate; if the first four showed that ten cannot decide, the others would not be drawn.


@verify.check("quanta.missing-mass", statement="the mass of unseen skills falls as P^-(alpha/(alpha+1))")
def unseen(context):
    def both_sides(rows):
        return same_estimator(
            "exponent of the missing mass", SAMPLES, rows, curve, source="sum of p (1-p)^P", method="draws of skills"
        )

    measured = measure(
        lambda r: missing_mass(context.generator("draws", r)),
        lambda rows: both_sides(rows)[1],
        replicates=context.pick(quick=10, full=100),
        tolerance=0.03,
    )
    prediction, _ = both_sides(np.array([curve, curve]))
    yield verify.Comparison(
        f"{context.check}/simulation",
        prediction,
        measured,
        tolerance=0.03,
        rival=verify.Rival("exponent alpha of the model's size", ALPHA),
        notes=(f"asymptotic exponent alpha/(alpha+1) = {ALPHA / (ALPHA + 1):.4f}",),
    )


# %%
# The report
# ----------
# ``report.to_html()`` gives a page with pictures, ``report.to_json()`` a record that `verify.Report.from_json` reads back.

report = verify.run(["quanta.missing-mass"])
print(report.to_text())

# %%
# What the verdict rests on: the difference from the prediction with its 90 % interval, against the tolerance.

import matplotlib.pyplot as plt

(found,) = report.comparisons
low, high = found.outcome.interval
figure, axes = plt.subplots(figsize=(7, 1.8), layout="constrained")
axes.axvspan(-found.tolerance, found.tolerance, color="tab:green", alpha=0.15, label="tolerance")
reach = (high - low) / 2
axes.errorbar(found.outcome.difference, 0, xerr=reach, fmt="o", color="black", capsize=4, label="measured - predicted")
axes.axvline(found.rival.value - found.prediction.value, color="tab:red", ls="--", label="rival")
axes.set(yticks=[], xlabel="difference in the exponent")
axes.legend(loc="upper center", ncols=3, frameon=False)
axes.set_ylim(-1, 2)
plt.show()
