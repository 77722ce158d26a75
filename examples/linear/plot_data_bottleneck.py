r"""
One law, three rooms
====================

The loss of the lazy linear model, limited by the number of samples: *derived* by the
calculus, *computed* by the solver, *simulated* directly, and judged.
"""

# %%
# Theory
# ------
# With eigenvalues :math:`\lambda_k = k^{-\alpha}` and signal power
# :math:`s_k = k^{-(\alpha\beta+1)}` the loss falls as a power of the number of
# samples P. The exponent is not looked up: asking for it runs the derivation.

from fractions import Fraction

from scalinglaws import SourceCapacity, solvers, theory, verify

law = theory.law("linear.data")
print(law.expr, "in the notation (a, b):", law.in_notation("bordelon").expr)
task = SourceCapacity(alpha=2, beta=Fraction(5, 4))
values = {"alpha": task.alpha, "beta": task.beta}
print(f"{task.difficulty} task: exponent {law(**values)}, {law.regime(**values)}")

# %%
# Every step of the derivation is checked by machine:

for step, check in zip(law.derivation.steps, law.derivation.check(), strict=True):
    print("ok  " if check.passed else "BAD ", step.quantity, f"[{step.relation}]")

# %%
# Solver
# ------
# The same loss at any size, with infinitely many modes, and the leading term of the
# law beside it.

spectrum = solvers.PowerLawSpectrum(task.alpha, task.beta)
samples = [1e2, 1e4, 1e6, 1e8]
losses = solvers.linear.ridge(spectrum, samples=samples).test_loss
leading = law.asymptote(samples, **values)
for row in zip(samples, losses, leading, losses / leading, strict=True):
    print("P = {:.0e}   loss {:.6e}   leading term {:.6e}   ratio {:.6f}".format(*row))

# %%
# Verify
# ------
# A direct simulation that knows nothing of either, with error bars, against a wrong
# but plausible rival.

report = verify.run(["linear.data.source-limited"])
for found in report.comparisons:
    print(f"{found.id}: {found.verdict}; {found.rival.name}: {found.rival_verdict}")

# %%
# The picture shows two tasks: one where the unresolved tail of the signal decides, and
# one where the model's exponent in print is not what a simulation finds.

import matplotlib.pyplot as plt
from scalinglaws.verify.plots.linear import Bottleneck, bottlenecks

easy = SourceCapacity(alpha=Fraction(5, 2), beta=Fraction(9, 5))
figure = bottlenecks(
    [
        Bottleneck("linear.data", task, rival=4.0, rival_name="saturated"),
        Bottleneck("linear.model", easy, rival=4.5, rival_name="published"),
    ],
    figure=plt.figure(figsize=(10.4, 5.6), layout="constrained"),
)
