r"""
Predict another schedule
========================

Three measured training curves, three laws that know the schedule of the learning rate, and
the losses with which schedules end that nobody has run.
"""

# %%
# Curves
# ------
# The solvable model stands for logs of real runs: a constant rate, a drop half way and a short
# cooldown, with a noise of 0.1 %.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.schedules import Schedule, train
from scalinglaws.verify.estimate import ScheduledCurve

task, steps, rate = PowerLawSpectrum.from_ab(1.8, 1.6), 10_000, 0.15


def losses(schedule, at):
    """Return the losses along a schedule."""
    return 2 + train(schedule, task, batch=4, noise_variance=1, at=at).test_loss


schedules = {
    "constant": Schedule.constant(rate, steps),
    "drop": Schedule.from_array(np.repeat([rate, 0.3 * rate], steps // 2)),
    "wsd:0.1": Schedule.wsd(rate=rate, steps=steps, cooldown=0.1),
}
at, rng = np.arange(20, steps + 1, 20), np.random.default_rng(0)
curves = {
    name: ScheduledCurve(
        s, at, losses(s, at) * np.exp(0.001 * rng.standard_normal(at.size))
    )
    for name, s in schedules.items()
}

# %%
# Which law
# ---------
# Each curve is held out in turn and predicted from the other two.

from scalinglaws.verify.empirical import compare_curves
from scalinglaws.verify.plots.empirical import fitted_curves, predicted_curves

found = compare_curves(curves)
print(found.summary())
fit = found.fits[found.best]
figure = fitted_curves(fit, figure=plt.figure(figsize=(8.6, 5.6), layout="constrained"))

# %%
# Schedules that were not run
# ---------------------------
# Their true ends are known here, and lie in the bands.

planned = {
    "wsd:0.3": Schedule.wsd(rate=rate, steps=2 * steps, cooldown=0.3),
    "cosine": Schedule.cosine(rate=rate, steps=2 * steps),
}
predictions = {name: fit.predict(s) for name, s in planned.items()}
for name, schedule in planned.items():
    end = fit.predict(schedule, at=schedule.steps)
    truth = losses(schedule, schedule.steps)
    print(
        f"{name:8s} {end.loss:.4f}, {end.low:.4f} to {end.high:.4f}; true {truth:.4f}"
    )
figure = predicted_curves(
    fit, predictions, figure=plt.figure(figsize=(10.4, 4.4), layout="constrained")
)
