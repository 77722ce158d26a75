"""What is loaded when, which way the arrows point, and what things are called."""

import ast
import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import scalinglaws

HEAVY = ("sympy", "scipy", "numba", "matplotlib", "jinja2")


def _loaded_after(code):
    probe = f"{code}\nimport sys\nprint(*[name for name in {HEAVY} if name in sys.modules])"
    return subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    ).stdout.split()


@pytest.mark.parametrize(
    "code",
    [
        "import scalinglaws",
        "import scalinglaws; scalinglaws.SourceCapacity.from_ab(2, 1.5)",
        "from scalinglaws import theory; theory.laws()",
        "import scalinglaws.cli",
    ],
)
def test_light_entry_points_load_no_heavy_library(code):
    assert _loaded_after(code) == []


def test_rooms_are_loaded_when_touched():
    assert "sympy" in _loaded_after("import scalinglaws; scalinglaws.theory.law('linear.time')")
    assert "numba" in _loaded_after("import scalinglaws; scalinglaws.solvers")


def test_unknown_attribute_of_the_package():
    with pytest.raises(AttributeError, match="no attribute 'theories'"):
        scalinglaws.theories  # noqa: B018
    assert {"theory", "solvers", "verify", "SourceCapacity"} <= set(dir(scalinglaws))


def _modules(root):
    for path in sorted((root / "scalinglaws").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        yield path, parts[:-1] if parts[-1] == "__init__" else parts


def _imports(path, parts):
    """List the package modules that a file imports, as tuples of names below the package."""
    package = parts if path.name == "__init__.py" else parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            target = base + tuple((node.module or "").split(".")) if node.module else base
            if target[:1] == ("scalinglaws",):
                for alias in node.names:
                    yield (*target, alias.name)[1:]
        elif isinstance(node, ast.Import):
            yield from (
                tuple(alias.name.split("."))[1:]
                for alias in node.names
                if alias.name.split(".")[0] == "scalinglaws"
            )


TOP = {
    "arguments",
    "errors",
    "formatting",
    "notation",
    "parsing",
    "results",
    "saved_names",
    "sweep",
    "tables",
    "__version__",
}


def _allowed(parts, target):
    room = parts[1] if len(parts) > 1 else ""
    if target[0] in TOP:
        return not (parts[1:3] == ("verify", "simulate") and target[0] in ("sweep", "__version__"))
    if room in ("theory", "solvers"):
        return target[0] == room
    if parts[1:3] == ("verify", "simulate"):
        return target[:2] in (("solvers", "spectra"), ("solvers", "_jit")) or target[:2] == (
            "verify",
            "simulate",
        )
    if room == "verify":
        return target[0] in ("theory", "solvers", "verify")
    # the command line imports everything, other top-level modules import no room
    return room in ("cli", "__main__")


def test_arrows_between_rooms(root):
    wrong = []
    for path, parts in _modules(root):
        wrong += [
            f"{'.'.join(parts)} imports {'.'.join(target)}"
            for target in _imports(path, parts)
            if target and not _allowed(parts, target)
        ]
    assert wrong == []


def test_the_arrow_test_sees_violations():
    assert not _allowed(("scalinglaws", "theory", "linear"), ("solvers", "linear"))
    assert not _allowed(("scalinglaws", "solvers", "linear"), ("theory", "linear"))
    assert not _allowed(("scalinglaws", "verify", "simulate", "linear"), ("solvers", "linear"))
    assert not _allowed(("scalinglaws", "results"), ("solvers", "linear"))
    assert _allowed(("scalinglaws", "verify", "checks", "linear"), ("theory", "linear"))


def _walk(package):
    yield package
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        module = import_module(info.name)
        if info.ispkg:
            yield from _walk(module)
        else:
            yield module


def test_no_public_function_is_named_like_a_submodule_of_its_package():
    clashes = []
    for module in _walk(scalinglaws):
        package = module if hasattr(module, "__path__") else sys.modules[module.__package__]
        submodules = {info.name for info in pkgutil.iter_modules(package.__path__)}
        clashes += [
            f"{module.__name__}.{name}"
            for name, thing in vars(module).items()
            if inspect.isfunction(thing)
            and not name.startswith("_")
            and thing.__module__ == module.__name__
            and name in submodules
        ]
    assert clashes == []


def test_every_public_function_and_class_is_documented():
    bare = []
    for module in _walk(scalinglaws):
        for name, thing in vars(module).items():
            public = (inspect.isfunction(thing) or inspect.isclass(thing)) and not name.startswith(
                "_"
            )
            if public and thing.__module__ == module.__name__ and not inspect.getdoc(thing):
                bare.append(f"{module.__name__}.{name}")
    assert bare == []


def test_one_version():
    from importlib.metadata import version

    assert version("scalinglaws") == scalinglaws.__version__
