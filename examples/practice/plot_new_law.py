r"""
Deriving a law that is not shipped
==================================

A filter and a cost that no law of the catalogue has: what the calculus says of them,
and what the sums and the solver find.
"""

# %%
# A new filter
# ------------
# With unlimited data, ridge regression with ridge :math:`1/(2t)` leaves the fraction
# :math:`(1 + 2t\lambda_k)^{-1}` of mode k. Fitting n times what the fits before have
# left (iterated Tikhonov regularization) takes its n-th power, and its square enters
# the loss. The filter is all that has to be given:

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from scalinglaws import solvers
from scalinglaws.theory.asymptotics import RATIONAL
from scalinglaws.theory.linear import (
    ALPHA,
    BETA,
    ModeLimited,
    N,
    P,
    TimeLimited,
    derive_mode,
    derive_time,
)
from scalinglaws.theory.optimum import CostLimited, derive_optimum

n, C = sp.symbols("n C", positive=True)
box = {ALPHA: (1, 4), BETA: (sp.Rational(1, 5), 6), n: (1, 3)}
iterated = derive_time(TimeLimited(residual=RATIONAL(0, 2 * n), box=box))
print("exponent", iterated.expr)
for regime in iterated.regimes:
    print(f"  {regime.name} where {regime.condition}: t^-({regime.exponent})")
print("steps hold:", [bool(check.passed) for check in iterated.derivation.check()])

# %%
# A smooth task saturates: repeating the fit helps until :math:`2n` exceeds
# :math:`\beta`. The sums over a million modes have the derived slopes.

capacity, source = 2.0, 3
k = np.arange(10**6, 0, -1.0)
times = np.geomspace(1, 1e8, 33)


def explicit(repeats):
    """Sum what is left of every mode."""
    weight, rates = k ** -(capacity * source + 1.0), 2.0 * k**-capacity
    return np.array([np.sum(weight * (1 + t * rates) ** (-2 * repeats)) for t in times])


def derived(repeats):
    """Evaluate the leading term of the regime that holds."""
    point = {ALPHA: capacity, BETA: source, n: repeats}
    (here,) = (one for one in iterated.regimes if one.condition.subs(point) == sp.true)
    constant, exponent = (float(x.subs(point)) for x in (here.constant, here.exponent))
    return constant * times**-exponent


sums = {repeats: explicit(repeats) for repeats in (1, 2)}
for repeats, loss in sums.items():
    exponent = iterated.expr.subs({BETA: source, n: repeats})
    slope = -np.log(loss[-1] / loss[-5]) / np.log(times[-1] / times[-5])
    print(f"n = {repeats}: derived {exponent}, slope of the sum {slope:.5f}")

# %%
# A new cost
# ----------
# Fit P samples with :math:`N > P` random features, through their Gram matrix: filling
# it costs :math:`C = N P^2`. Two bottlenecks compete. One is the data bias. The other
# is due to the features: to first order in 1/N, it is the number of resolved modes, P
# of them, over N, times the signal that is unresolved *once*. Both are mode sums.


def powers(found):
    """List the powers of P that compete in a mode sum."""
    return [P**-one.exponent for one in found.regimes if not one.on_boundary]


squared = derive_mode(ModeLimited(P, RATIONAL(2, 2), variance=RATIONAL(0, 2)))
once = derive_mode(ModeLimited(P, RATIONAL(1, 1)))
terms = {"data": sum(powers(squared)), "features": sp.expand(sum(powers(once)) * P / N)}
for name, term in terms.items():
    print(f"{name}: {term}")

gram = CostLimited(
    terms,
    free=(N, P),
    scale=C,
    budget=(N * P**2, C),
    caps=((P / N, 1),),
    box={ALPHA: (sp.Rational(11, 10), 4), BETA: (sp.Rational(1, 5), 4)},
    constants=False,
)
loss_law, size_law = derive_optimum(gram), derive_optimum(gram, of=P)
for loss_regime, size_regime in zip(loss_law.regimes, size_law.regimes, strict=True):
    print(f"where {loss_regime.condition}:")
    print(f"  loss ~ C^-({loss_regime.exponent}), P ~ C^({size_regime.exponent})")
print("steps hold:", all(check.passed for check in loss_law.derivation.check()))

# %%
# The argument holds for :math:`N \ge P` only, which enters as a cap. For large
# :math:`\alpha` the optimum is at this edge. The solver knows the loss at any N and P.
# Its minimum over P at fixed cost is a test that shares nothing with the derivation
# but the model.

costs = 10.0 ** np.arange(8, 25, 2)
tasks = [(2, sp.Rational(3, 4)), (2, sp.Rational(3, 2)), (2, 3), (4, sp.Rational(3, 2))]
optima = {}
for alpha, beta in tasks:
    spectrum = solvers.PowerLawSpectrum(float(alpha), float(beta))
    least = []
    for cost in costs:
        samples = np.geomspace(10, cost ** (1 / 3), 2000)
        found = solvers.linear.ridge(
            spectrum, features=cost / samples**2, samples=samples
        )
        least.append(found.test_loss.min())
    exponent = loss_law.expr.subs({ALPHA: alpha, BETA: beta})
    slope = -np.log(least[-1] / least[-2]) / np.log(costs[-1] / costs[-2])
    print(f"{alpha}, {beta}: derived {exponent}, slope of the solver's {slope:.5f}")
    optima[alpha, beta] = np.array(least), float(exponent)

# %%
# In the picture, points are sums (left) and the solver's minima (right). Lines are
# derived: with their constants on the left, through the last point on the right.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
colors = ["#1b3a5c", "#4a8c6f", "#e09f3e", "#d1495b"]
for (repeats, loss), color in zip(sums.items(), colors, strict=False):
    left.plot(times, loss, "o", color=color, ms=4, label=f"n = {repeats}")
    late = times > 10
    left.plot(times[late], derived(repeats)[late], color=color, lw=1)
left.set(xlabel="t = 1 / (2 ridge)", ylabel="loss", title="iterated Tikhonov")
for (task, (least, exponent)), color in zip(optima.items(), colors, strict=True):
    line = least[-1] * (costs / costs[-1]) ** -exponent
    label = rf"$(\alpha, \beta)$ = {task}: $C^{{-{exponent:.3g}}}$"
    right.plot(costs, least, "o", color=color, ms=4, label=label)
    right.plot(costs, line, color=color, lw=1)
right.set(xlabel=r"cost $C = NP^2$", ylabel="least loss", title="Gram matrix as cost")
for axis in (left, right):
    axis.set(xscale="log", yscale="log")
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
