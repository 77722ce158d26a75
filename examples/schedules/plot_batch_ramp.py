r"""
Larger batches, or more memory
==============================

A growing batch does what a falling rate does, in fewer steps; momentum whose strength falls
with time does what neither can.
"""

# %%
# A ramp instead of a decay
# -------------------------
# Rate and batch act through their ratio, as a function of the sum of the rates. A linear
# decay over T steps at the batch B is a constant rate with the batch
# :math:`B (1 - s/S)^{-1/2}` over :math:`S = T/2` steps: as many samples, half the steps.

import numpy as np
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.schedules import DANA, SGD, Schedule, train

task, noise, steps = (
    PowerLawSpectrum.from_ab(a=2, b=1.5),
    {"noise_variance": 0.1},
    10**6,
)
serial = steps // 2
ramp = Schedule.from_function(
    lambda s: ((serial - s) / serial) ** -0.5, steps=serial, rate=4
)
print("rate   decay      ramp       difference")
for rate in (0.1, 0.05, 0.01):
    decay = train(
        Schedule.power(1, rate=rate, steps=steps), task, batch=4, at=steps, **noise
    ).test_loss
    grown = train(
        Schedule.constant(rate, serial), task, batch=ramp, at=serial, **noise
    ).test_loss
    print(f"{rate:4.2f}  {decay:.3e}  {grown:.3e}  {grown / decay - 1:9.1e}")

# %%
# Where neither helps
# -------------------
# Momentum is a larger rate and no more: with the same :math:`\eta/(1 - \mu)` the losses are
# the same soon after the start. If the strength of a fading memory falls as
# :math:`t^{-1/\alpha}` (*dimension-adapted* momentum), modes are learned in the time
# :math:`t^{2 - 1/\alpha}`, and every exponent of time grows by that factor.

long = np.array([10**9, 10**10])
for name, method in (("SGD", SGD()), ("DANA", DANA.decaying(alpha=1.5, strength=3))):
    rough = PowerLawSpectrum.from_ab(a=1.75, b=1.5)
    losses = train(
        Schedule.constant(0.025, long[-1]), rough, batch=1, method=method, at=long
    )
    slope = np.log10(losses.test_loss[0] / losses.test_loss[1])
    print(f"{name:5s} slope at 1e10 steps {slope:.4f}")

# %%
# Compute-optimal training
# ------------------------
# With N features the best size grows with the compute N t. Below, all sizes and the least
# loss of each compute, with the exponents of the laws.

import matplotlib.pyplot as plt
from scalinglaws import theory
from scalinglaws.verify.plots.schedules import compute_frontiers

laws = {"SGD": "linear.compute", "DANA decaying": "schedules.dana_decaying"}
exponents = {
    name: float(theory.law(law)(alpha=2, beta=0.3)) for name, law in laws.items()
}
print({name: round(value, 4) for name, value in exponents.items()})
figure = compute_frontiers(
    PowerLawSpectrum.from_ab(a=1.6, b=2),
    {"SGD": SGD(), "DANA decaying": DANA.decaying(alpha=2)},
    features=np.geomspace(8, 1024, 8).round(),
    steps=10**6,
    rate=0.1,
    exponents=exponents,
    figure=plt.figure(figsize=(7.6, 4.8), layout="constrained"),
)
