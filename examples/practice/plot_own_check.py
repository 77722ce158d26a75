r"""
Register a check of your own
============================

A check is a function that yields comparisons. Registered under a name, it runs beside
the shipped ones: same seeds, same verdicts, same report.

The claim here is one of the quanta picture. If skill :math:`k` is needed with
probability :math:`p_k \propto k^{-(\alpha+1)}`, then what P samples have not shown, the
missing mass, falls as :math:`P^{-\alpha/(\alpha+1)}`.
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
TOTAL = zeta(ALPHA + 1)


def missing_mass(rng, data_sets=40):
    """Return the mean mass of the skills that P draws have not shown, for each P."""
    seen = np.zeros(SAMPLES.size)
    for _ in range(data_sets):
        drawn = rng.zipf(ALPHA + 1, SAMPLES[-1]).astype(float)
        seen += [np.sum(np.unique(drawn[:count]) ** -(ALPHA + 1)) for count in SAMPLES]
    return 1 - seen / TOTAL / data_sets


# %%
# The theory
# ----------
# The mean is :math:`\sum_k p_k (1-p_k)^P`. At these sizes it is not yet a power, so
# its own fit in the same window is the fair prediction; the asymptotic exponent is told
# in a note.

k = np.arange(1, 2_000_001)
p = k ** -(ALPHA + 1) / TOTAL
tail = k[-1] ** -ALPHA / ALPHA / TOTAL
curve = [np.sum(p * np.exp(count * np.log1p(-p))) + tail for count in SAMPLES]

# %%
# The check
# ---------
# The tolerance is the largest deviation at which we would still call the claim right,
# fixed before the run. The rival is wrong but plausible, the exponent of model size:
# the same data must reject it. Ten streams of random numbers, one per replicate; if the
# first four showed that ten cannot decide, the others would not be drawn.


def fitted(rows):
    """Fit the theory's curve and the measured rows alike."""
    return same_estimator(
        "exponent of the missing mass",
        SAMPLES,
        rows,
        curve,
        source="sum of p (1-p)^P",
        method="draws of skills",
    )


@verify.check("quanta.missing-mass", statement="unseen skills: P^-(alpha/(alpha+1))")
def unseen(context):
    """Yield the one comparison of this check."""
    measured = measure(
        lambda r: missing_mass(context.generator("draws", r)),
        lambda rows: fitted(rows)[1],
        replicates=context.pick(quick=10, full=100),
        tolerance=0.03,
    )
    yield verify.Comparison(
        f"{context.check}/simulation",
        fitted(np.array([curve, curve]))[0],
        measured,
        tolerance=0.03,
        rival=verify.Rival("exponent alpha of the model's size", ALPHA),
        notes=(f"asymptotic exponent alpha/(alpha+1) = {ALPHA / (ALPHA + 1):.4f}",),
    )


# %%
# The report
# ----------
# ``report.to_html()`` gives a page with pictures, ``report.to_json()`` a record that
# ``verify.Report.from_json`` reads back.

report = verify.run(["quanta.missing-mass"])
print(report.to_text())

# %%
# What the verdict rests on: the difference from the prediction with its 90 % interval,
# against the tolerance.

import matplotlib.pyplot as plt

(found,) = report.comparisons
low, high = found.outcome.interval
middle, reach = found.outcome.difference, (high - low) / 2
figure, axes = plt.subplots(figsize=(7, 1.8), layout="constrained")
tolerance = (-found.tolerance, found.tolerance)
axes.axvspan(*tolerance, color="tab:green", alpha=0.15, label="tolerance")
axes.errorbar(middle, 0, xerr=reach, fmt="ko", capsize=4, label="measured - predicted")
rival = found.rival.value - found.prediction.value
axes.axvline(rival, color="tab:red", ls="--", label="rival")
axes.set(yticks=[], ylim=(-1, 2), xlabel="difference in the exponent")
axes.legend(loc="upper center", ncols=3, frameon=False)
