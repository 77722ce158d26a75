"""No module needs another that needs it: not when it is loaded, not inside a function, not for a type."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest


def _files(root):
    """Map names of modules to their files."""
    found = {}
    for path in sorted((root / "scalinglaws").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _needs(name, path, known):
    """List the modules of the package that a file imports anywhere in it."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                # a name of a package is a module of it, or something that the package itself defines
                inner = f"{target}.{alias.name}"
                if inner in known or target in known:
                    yield inner if inner in known else target


def _circle(graph):
    """Return a circle, the first module again at its end, or None."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        return found.args[1]
    return None


def _graph(files):
    return {
        name: {needed for needed in _needs(name, path, files) if needed != name}
        for name, path in files.items()
    }


def test_no_circular_imports(root):
    graph = _graph(_files(root))
    assert sum(map(len, graph.values())) > 500
    assert _circle(graph) is None


@pytest.mark.parametrize(
    "line",
    [
        "from .records import Regime",
        "from . import records",
        "import scalinglaws.theory.records",
        "from scalinglaws.theory import records",
        "def f():\n    from ..theory.records import Regime",
        "if TYPE_CHECKING:\n    from .records import Regime",
    ],
)
def test_a_circle_is_found_however_it_is_written(tmp_path, line):
    folder = tmp_path / "scalinglaws" / "theory"
    folder.mkdir(parents=True)
    for name, text in (
        ("__init__", ""),
        ("steps", line),
        ("records", "from .steps import Step"),
        ("laws", "from .records import Regime\nfrom .steps import Step"),
    ):
        (folder / f"{name}.py").write_text(text)
    circle = _circle(_graph(_files(tmp_path)))
    assert set(circle) == {"scalinglaws.theory.records", "scalinglaws.theory.steps"}
