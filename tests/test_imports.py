"""What is loaded when, which way the arrows point, and what things are called."""

import ast
import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import scalinglaws
from scalinglaws.rooms import NO_THEORY, submodules
from scalinglaws.verify.registry import theories

HEAVY = ("sympy", "scipy", "numba", "matplotlib", "jinja2", "bokeh", "tornado")


def _loaded_after(code):
    probe = f"{code}\nimport sys\nprint(*[name for name in {HEAVY} if name in sys.modules])"
    return (
        subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
        .stdout.splitlines()[-1]
        .split()
    )


@pytest.mark.parametrize(
    "code",
    [
        "import scalinglaws",
        "import scalinglaws; scalinglaws.SourceCapacity.from_ab(2, 1.5)",
        "from scalinglaws import theory; theory.laws(); theory.cite()",
        "from scalinglaws.theory import catalogue; catalogue.matching('Pehlevan')",
        "from scalinglaws.cli import run; run(['laws', 'capacity'])",
        "from scalinglaws import solvers; solvers.PowerLawSpectrum(2, 0.5)",
        "import scalinglaws.cli",
    ],
)
def test_light_entry_points_load_no_heavy_library(code):
    assert _loaded_after(code) == []


def test_a_law_is_shown_without_a_compiler():
    loaded = _loaded_after(
        "from scalinglaws.cli import run; assert run(['law', 'linear.data']) == 0"
    )
    assert "sympy" in loaded
    assert "numba" not in loaded


def test_solvers_load_the_compiler_alone():
    """SciPy takes as long to import as many a solver takes to answer: functions that need it import it."""
    modules = [name for name in submodules("scalinglaws.solvers") if name not in NO_THEORY]
    code = "import sys\nfrom scalinglaws.solvers import " + ", ".join(modules)
    heavy = ("scipy.special", "scipy.optimize", "scipy.linalg", "sympy", "matplotlib")
    probe = f"{code}\nprint(*[name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.check_output([sys.executable, "-c", probe], text=True)
    assert "linear" in modules
    assert loaded.split() == []


def test_rooms_are_loaded_when_touched():
    assert "sympy" in _loaded_after("import scalinglaws; scalinglaws.theory.law('linear.time')")
    assert "numba" in _loaded_after("import scalinglaws; scalinglaws.solvers.linear")


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
    "contents",
    "equality",
    "errors",
    "files",
    "formatting",
    "keeping",
    "notation",
    "notebook",
    "parsing",
    "provenance",
    "records",
    "reprs",
    "results",
    "rooms",
    "saved_names",
    "svg",
    "letters",
    "sweep",
    "tables",
    "typesetting",
    "wrapping",
    "__version__",
}


def _allowed(parts, target):
    room = parts[1] if len(parts) > 1 else ""
    if target[0] in TOP:
        return not (parts[1:3] == ("verify", "simulate") and target[0] in ("sweep", "__version__"))
    if room in ("theory", "solvers"):
        return target[0] == room
    if parts[1:3] == ("verify", "simulate"):
        shared = (("solvers", "kernels"), ("solvers", "spectra"), ("solvers", "_jit"))
        return target[:2] in (*shared, ("verify", "simulate"))
    if room == "verify":
        return target[0] in ("theory", "solvers", "verify")
    # the command line and the explorer import everything, other top-level modules import no room
    return room in ("cli", "__main__") or (room == "explore" and target[0] != "cli")


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


ROOMS = (
    ("theory",),
    ("solvers",),
    ("verify", "simulate"),
    ("verify", "checks"),
    ("verify", "plots"),
)


def _theory_of(room, names, root):
    """Name the theory of a room to which a module belongs: a folder that is not named as shared, or a module called like a theory."""
    if names[: len(room)] != room or len(names) == len(room):
        return None
    name = names[len(room)]
    folder = root.joinpath("scalinglaws", *room, name).is_dir() and name not in NO_THEORY
    return name if folder or name in theories() else None


def _reaches_aside(parts, target, root):
    """Whether a module of a room takes from a theory of the same room, not its own, what that one does not offer."""
    for room in ROOMS:
        if parts[1 : len(room) + 1] != room:
            continue
        own, other = (_theory_of(room, names, root) for names in (parts[1:], target))
        if other is not None and other != own:
            offered = getattr(import_module(".".join(("scalinglaws", *room, other))), "__all__", ())
            # what theories share imports no theory
            return own is None or len(target) != len(room) + 2 or target[-1] not in offered
    return False


def test_theories_take_from_each_other_only_what_is_offered(root):
    wrong = []
    for path, parts in _modules(root):
        wrong += [
            f"{'.'.join(parts)} imports {'.'.join(target)}"
            for target in _imports(path, parts)
            if _reaches_aside(parts, target, root)
        ]
    assert wrong == []


def test_the_sideways_test_sees_violations(root):
    def aside(module, target):
        return _reaches_aside(("scalinglaws", *module.split(".")), tuple(target.split(".")), root)

    assert aside("solvers.feature_learning._flow", "solvers.linear._statics.ridge")
    assert aside("solvers.feature_learning._flow", "solvers.linear._flow")
    assert aside("solvers.feature_learning.dmft.engine", "solvers.linear.kernels_of_nobody")
    assert aside("theory.manifold", "theory.linear.bottlenecks.derive_mode")
    assert aside("theory.linear.ridge", "theory.manifold.derive_mode")
    assert aside("theory.asymptotics", "theory.linear.derive_mode")
    assert aside("verify.plots.patterns._costs", "verify.plots.linear._curves.loss_curves")
    assert aside("verify.simulate.linear._flow", "verify.simulate.kernel_adaptation._chains.x")
    assert not aside("solvers.feature_learning._flow", "solvers.linear.ridge")
    assert not aside("solvers.feature_learning._flow", "solvers.feature_learning._warped_time.x")
    assert not aside("solvers.feature_learning._flow", "solvers.equivalents.kappa.MAX_STEPS")
    assert not aside("theory.linear.laws", "theory.balance._allocate.allocate")
    assert not aside("verify.checks.patterns.networks", "verify.simulate.linear._flow.x")


def test_what_fits_and_what_estimates_share_no_private_module(root):
    private = [
        f"{'.'.join(parts)} imports {'.'.join(target)}"
        for path, parts in _modules(root)
        for target in _imports(path, parts)
        for one, other in (("empirical", "estimate"), ("estimate", "empirical"))
        if parts[1:3] == ("verify", one) and target[:2] == ("verify", other)
        if any(name.startswith("_") for name in target[2:])
    ]
    assert private == []


def test_folders_of_no_theory_exist_and_are_none(root):
    folders = {path.name for path in (root / "scalinglaws").rglob("*") if path.is_dir()}
    assert set(NO_THEORY) <= folders
    assert not set(NO_THEORY) & set(theories())


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("theory", "linear"),
        ("theory", "manifold"),
        ("solvers", "percolation"),
        ("verify", "estimate"),
        ("verify", "simulate"),
        ("verify.simulate", "linear"),
        ("verify", "plots"),
        ("verify.plots", "patterns"),
    ],
)
def test_what_lives_in_a_room_is_an_attribute_of_it(package, name):
    package = f"scalinglaws.{package}"
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import {package}; print(getattr({package}, {name!r}).__name__, {name!r} in dir({package}))",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert found == [f"{package}.{name}", "True"]


def test_every_public_module_of_a_room_is_listed_and_no_other():
    for name in ("theory", "solvers", "verify", "verify.simulate", "verify.plots"):
        package = import_module(f"scalinglaws.{name}")
        assert set(submodules(package.__name__)) <= set(dir(package))
        assert set(package.__all__) <= set(dir(package))
        with pytest.raises(AttributeError, match="no attribute 'nobody'"):
            package.nobody  # noqa: B018


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
