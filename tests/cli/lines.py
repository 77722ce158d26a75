"""A line that does for every command, quickly, and files for those that read some; other tests spoil them."""

import numpy as np

from scalinglaws import verify
from scalinglaws.verify.checks.empirical.accuracy import draw_task

LINES = {
    "adapt": ("adapt", "inputs.npz", "--layers", "3", "--activation", "linear", "--annealing-steps", "0"),
    "allocate": ("allocate", "N**-(1/2) + D**-(1/2)", "--budget", "N*D=C", "C=100"),
    "cite": ("cite", "linear.data"),
    "compare": ("compare", "linear.data", "linear.time", "alpha=3/2", "beta=1/2"),
    "complexity": ("complexity", "weights.npz"),
    "count": ("count", "--layers", "2", "--width", "64"),
    "curves": ("curves", "curves.csv", "--law", "momentum", "--holdout", "none"),
    "derive": ("derive", "manifold.variance_limited"),
    "design": ("design", "besiroglu", "--budget", "1e22", "--target", "1e24", "--noise", "0.005", "--max-runs", "6"),
    "env": ("env",),
    "explore": ("explore", "--export", "page.html", "--only", "allocation"),
    "figures": ("figures", "damico", "--only", "table-of-nine", "--workers", "1", "--fresh", "--output", "drawn"),
    "fit": ("fit", "runs.csv", "--law", "surface", "--bootstrap", "0"),
    "law": ("law", "linear.data", "alpha=3/2", "beta=1/2"),
    "laws": ("laws", "samples"),
    "learnability": ("learnability", "inputs.npz", "--kernel", "rbf"),
    "measure": ("measure", "spectrum.npz"),
    "patterns attention": ("patterns", "attention", "--length", "1"),
    "patterns cnn": ("patterns", "cnn", "--widths", "1"),
    "patterns fcn": ("patterns", "fcn", "--widths", "1"),
    "patterns table": ("patterns", "table", "fcn2"),
    "plan": ("plan", "besiroglu", "--compute", "1e22"),
    "recipes": ("recipes", "recipes.csv", "--reference", "a", "--bootstrap", "0"),
    "report": ("report", "report.json"),
    "schedule": ("schedule", "alpha=1.5", "beta=0.5", "steps=50", "linear"),
    "simulate": ("simulate", "--list"),
    "simulate empirical task": ("simulate", "empirical", "task", "--samples", "20", "--modes", "50"),
    "simulate percolation bethe": ("simulate", "percolation", "bethe", "--clusters", "3", "--smallest", "2", "--largest", "50"),
    "simulate percolation experiment": ("simulate", "percolation", "experiment", "data", "--clusters", "3", "--smallest", "2", "--largest", "100", "--sizes", "20", "--datasets", "2"),  # noqa: E501
    "simulate percolation lattice": ("simulate", "percolation", "lattice", "--length", "8"),
    "solve": ("solve", "linear.ridge", "alpha=1.5", "beta=0.5", "samples=10"),
    "sweep": ("sweep", "linear.ridge", "alpha=1.5", "beta=0.5", "samples=10,20", "--workers", "1", "--fresh"),
    "task": ("task", "tasks.csv", "--bootstrap", "0"),
    "verify": ("verify", "patterns.bound", "--workers", "1"),
}  # fmt: skip
"""By the words of the command."""


def _written(path, columns):
    rows = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_files(folder):
    """Write the files that the lines name."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(12, 2))
    np.savez(folder / "inputs.npz", features=inputs, labels=inputs[:, 0])
    k = np.arange(1.0, 101)
    np.savez(folder / "spectrum.npz", eigenvalues=k**-1.5, coefficients=k**-0.9)
    np.savez(folder / "weights.npz", first=rng.normal(size=(4, 3)), second=rng.normal(size=(1, 4)))
    step = np.arange(24, 600, 25)
    rates = {"constant": np.full(600, 0.1), "drop": np.repeat([0.1, 0.02], 300)}
    rates |= {"linear": np.linspace(0.1, 0.0, 600), "low": np.full(600, 0.05)}
    curves = {"run": [], "step": [], "lr": [], "loss": []}
    for run_name, rate in rates.items():
        curves["run"] += [run_name] * step.size
        curves["step"] += step.tolist()
        curves["lr"] += rate[step].tolist()
        falls = 2 + np.cumsum(rate)[step] ** -0.4 - 0.05 * (0.1 - rate[step])
        curves["loss"] += (falls * np.exp(1e-3 * rng.normal(size=step.size))).tolist()
    _written(folder / "curves.csv", curves)
    N, D = (
        grid.ravel() for grid in np.meshgrid(np.geomspace(1e7, 1e10, 5), np.geomspace(1e9, 1e12, 5))
    )
    loss = 1.7 + 400 * N**-0.34 + 410 * D**-0.28
    noisy = loss * np.exp(0.003 * rng.normal(size=N.size))
    _written(folder / "runs.csv", {"params": N, "tokens": D, "loss": noisy})
    both = {
        "params": np.tile(N, 2),
        "tokens": np.tile(D, 2),
        "loss": np.append(noisy, 0.97 * noisy),
    }
    _written(folder / "recipes.csv", both | {"recipe": ["a"] * N.size + ["b"] * N.size})
    _written(folder / "tasks.csv", draw_task(rng))
    (folder / "report.json").write_text(verify.run(["patterns.bound"]).to_json(), encoding="utf-8")
