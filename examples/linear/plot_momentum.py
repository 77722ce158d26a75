r"""
Gradient descent and momentum
=============================

Full-batch gradient descent, and the heavy ball: the same loss in fewer steps, if the
learning rate allows.
"""

# %%
# Steps instead of time
# ---------------------
# One step of gradient descent with momentum :math:`\mu` is
# :math:`v_{n+1} = v_n - \eta \nabla + \mu (v_n - v_{n-1})`. Once oscillations are
# damped, n steps act as a time :math:`\eta n / (1 - \mu)` of gradient flow.

import numpy as np
from scalinglaws import solvers

spectrum = solvers.PowerLawSpectrum.from_ab(a=2, b=1.5, size=400)
sizes = {"features": 60, "samples": 150, "noise_variance": 0.09}
rate = 0.15

print("steps  momentum   loss      flow at the same time")
for momentum in (0.0, 0.8):
    for steps in (100, 1000):
        loss = solvers.linear.gradient_descent(
            steps, spectrum, learning_rate=rate, momentum=momentum, **sizes
        ).test_loss
        time = rate * steps / (1 - momentum)
        flow = solvers.linear.gradient_flow(time, spectrum, **sizes).test_loss
        print(f"{steps:5d}  {momentum:8.1f}   {loss:.6f}  {flow:.6f}")

# %%
# How large a step
# ----------------
# Descent is stable below :math:`2 (1 + \mu) / x_{max}`, with the largest eigenvalue
# of the Hessian. A solver refuses what would diverge.

limits = {"features": 60, "samples": 150}
top = solvers.linear.largest_eigenvalue(spectrum, **limits)
print(f"largest eigenvalue {top:.4f}")
for momentum in (0.0, 0.8):
    print(f"momentum {momentum}: stable below {2 * (1 + momentum) / top:.4f}")
try:
    solvers.linear.gradient_descent(100, spectrum, learning_rate=1.5, **limits)
except ValueError as refusal:
    print(refusal)

# %%
# Against simulation
# ------------------
# With momentum the loss swings at first, where the leading modes overshoot.

import matplotlib.pyplot as plt
from scalinglaws.verify import simulate
from scalinglaws.verify.plots.linear import loss_curves

steps = np.unique(np.geomspace(1, 2000, 60).round().astype(int))
at = steps[::4]
solutions, simulations = {}, {}
for momentum in (0.0, 0.8):
    training = {"learning_rate": rate, "momentum": momentum, **sizes}
    name = rf"momentum $\mu = {momentum:g}$"
    solutions[name] = solvers.linear.gradient_descent(steps, spectrum, **training)
    simulations[name] = simulate.linear.gradient_descent(
        at, spectrum, draws=100, rng=0, **training
    )
    off = simulations[name].test_loss.mean(axis=0)
    off = off / solutions[name].test_loss[::4] - 1
    print(
        f"momentum {momentum}: simulation / solver - 1 within {np.abs(off).max():.3f}"
    )
figure = loss_curves(
    solutions,
    simulated=simulations,
    at=at,
    figure=plt.figure(figsize=(7, 5.6), layout="constrained"),
)
