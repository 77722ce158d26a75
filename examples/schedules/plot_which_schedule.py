r"""
Which schedule?
===============

One pass over data with label noise: what a decay of the learning rate buys, when its shape
matters, and how long a cooldown should be.
"""

# %%
# Each shape at its best rate
# ---------------------------
# A hundred million steps of stochastic gradient descent on infinitely many modes take a few
# hundredths of a second, so the best rate of a shape can be looked for.

import numpy as np
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.schedules import Schedule, optimal_schedule, train, tuned_rate

task = PowerLawSpectrum.from_ab(a=2, b=1.5)
steps, noise = 10**8, {"batch": 8, "noise_variance": 1}
shapes = {
    "constant": Schedule.constant(1, steps),
    "wsd:0.2": Schedule.wsd(rate=1, steps=steps, cooldown=0.2),
    "linear": Schedule.power(1, rate=1, steps=steps),
    "cosine": Schedule.cosine(rate=1, steps=steps),
}
schedules = {}
print("schedule   best rate  loss")
for name, shape in shapes.items():
    best = tuned_rate(shape, task, **noise)
    schedules[name] = shape.with_rate(best.rate)
    print(f"{name:10s} {best.rate:9.4f}  {best.test_loss:.3e}")
optimum = optimal_schedule(steps, task, **noise)
schedules["optimal"] = optimum.schedule
print(f"{'optimal':10s} {optimum.rate:9.4f}  {optimum.test_loss:.3e}")

# %%
# The decays differ by factors; the constant rate pays with an exponent. The dashed line is
# where the last losses of other lengths lie.

import matplotlib.pyplot as plt
from scalinglaws import theory
from scalinglaws.verify.plots.schedules import schedule_losses

law = theory.law("schedules.tuned")
exponents = {p: float(law(alpha=1.5, beta=2 / 3, p=p)) for p in (0, 1)}
print(f"loss: T^-{exponents[0]:.1f} at a constant rate, T^-{exponents[1]:.1f} decayed")
at = np.unique(
    np.concatenate([np.geomspace(1, steps, 80), np.linspace(0, steps, 60)]).round()
)
runs = {name: train(chosen, task, **noise, at=at) for name, chosen in schedules.items()}
figure = schedule_losses(
    runs,
    power=exponents[1],
    figure=plt.figure(figsize=(9.6, 4.3), layout="constrained"),
)

# %%
# Where the shape matters
# -----------------------
# A rate that vanishes as the power p of the remaining steps acts as a spectrum of capacity
# p + 1 at most: a linear decay loses exponent where eigenvalues fall faster than
# :math:`k^{-2}`.

from scalinglaws import SourceCapacity
from scalinglaws.verify.plots.schedules import saturation_diagram

figure = saturation_diagram(
    tasks={"above": SourceCapacity(1.5, 2 / 3), "below": SourceCapacity(2.5, 0.16)},
    figure=plt.figure(figsize=(8.4, 4.9), layout="constrained"),
)

# %%
# How long a cooldown
# -------------------
# Hard tasks are best trained at a large rate until late. The best part for the cooldown
# falls as a power of the steps; near it the loss hardly changes.

from scalinglaws.verify.plots.schedules import cooldown_losses

figure = cooldown_losses(
    PowerLawSpectrum.from_ab(a=1.4, b=2.5),
    steps=[10**6, 10**8, 10**10],
    cooldown=np.geomspace(1e-3, 1, 25),
    rate=0.5,
    **noise,
    figure=plt.figure(figsize=(6.8, 4.3), layout="constrained"),
)

# %%
# An easy task whose rate is tuned gains from a longer cooldown, by a factor.

figure = cooldown_losses(
    task,
    steps=[10**6],
    cooldown=np.geomspace(0.01, 1, 6),
    **noise,
    figure=plt.figure(figsize=(6.8, 4.3), layout="constrained"),
)

# %%
# The best model size
# -------------------
# Where the number of features is chosen, too, label noise leaves four phases of
# compute-optimal training under a decay.

from scalinglaws.verify.plots.linear import phase_diagram

figure = phase_diagram(
    law="schedules.compute",
    limits=((1, 4.5), (0, 2.6)),
    figure=plt.figure(figsize=(7.8, 4.9), layout="constrained"),
)
