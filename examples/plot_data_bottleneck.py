r"""
One law, three rooms
====================

The loss of the lazy linear model, limited by the number of samples: *derived* by the calculus, *computed* by the
solver, *simulated* directly, and judged.
"""

# %%
# Theory
# ------
# With eigenvalues :math:`\lambda_k = k^{-\alpha}` and signal power :math:`s_k = k^{-(\alpha\beta+1)}` the loss falls as a power
# of the number of samples P. The exponent is not looked up: asking for it runs the derivation.

from fractions import Fraction

from scalinglaws import SourceCapacity, solvers, theory, verify

law = theory.law("linear.data")
print(law.expr, "in the notation (a, b):", law.in_notation("bordelon").expr)
task = SourceCapacity(alpha=2, beta=Fraction(5, 4))
exponent = law(alpha=task.alpha, beta=task.beta)
print(f"{task.difficulty} task: exponent {exponent}, {law.regime(alpha=task.alpha, beta=task.beta)}")

# %%
# Every step of the derivation is checked by machine:

for step, check in zip(law.derivation.steps, law.derivation.check(), strict=True):
    print(f"{'ok' if check.passed else 'REFUSED':<8}{step.quantity} [{step.relation}]  {step.reason}")

# %%
# Solver
# ------
# The same loss at any size, with infinitely many modes, and the leading constant of the law beside it.

spectrum = solvers.PowerLawSpectrum(task.alpha, task.beta)
samples = [1e2, 1e4, 1e6, 1e8]
solution = solvers.linear.ridge(spectrum, samples=samples)
for count, loss, asymptote in zip(samples, solution.test_loss, law.asymptote(samples, alpha=2, beta=1.25), strict=True):
    print(f"P = {count:8.0e}   loss {loss:.6e}   leading term {asymptote:.6e}   ratio {loss / asymptote:.6f}")

# %%
# Verify
# ------
# A direct simulation that knows nothing of either, with error bars, against a wrong but plausible rival.

report = verify.run(["linear.data.source-limited"])
for comparison in report.comparisons:
    print(comparison.id, comparison.verdict, "| rival:", comparison.rival.name, "->", comparison.rival_verdict)

# %%
# The picture shows two tasks: one where the unresolved tail of the signal decides, and one where the model's exponent in print
# is not what a simulation finds.

import matplotlib.pyplot as plt

from scalinglaws.verify.plots.linear import Bottleneck, bottlenecks

figure = bottlenecks(
    [
        Bottleneck("linear.data", task, 4.0, "saturated"),
        Bottleneck("linear.model", SourceCapacity(Fraction(5, 2), Fraction(9, 5)), 4.5, "published"),
    ],
    figure=plt.figure(figsize=(10.4, 5.6), layout="constrained"),
)
