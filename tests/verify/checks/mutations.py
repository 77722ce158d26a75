"""What tests of checks share: verdicts of one check, and solvers that answer otherwise."""

from scalinglaws.verify.registry import Context


def verdicts(check, name, effort="quick"):
    """Return the verdict of each comparison of a check by the last part of its name, as the check is run under any patch."""
    return {entry.id.split("/")[1]: entry.verdict for entry in check(Context(name, effort, 0))}


def changed(solvers, name, monkeypatch, change):
    """Let a solver of a package answer with what `change` makes of its answer."""
    original = getattr(solvers, name)
    monkeypatch.setattr(solvers, name, lambda *args, **given: change(original(*args, **given)))
