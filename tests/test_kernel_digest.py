"""The name of the kernel cache changes with what kernels are made of, and with nothing else."""

import runpy
import shutil

import pytest


@pytest.fixture(scope="module")
def digest(root, tmp_path_factory):
    """Return a function that edits a copy of the package and returns its digest."""
    kernel_digest = runpy.run_path(str(root / "tests" / "kernel_digest.py"))["kernel_digest"]
    package = tmp_path_factory.mktemp("package") / "scalinglaws"
    shutil.copytree(root / "scalinglaws", package)

    def edited(name=None, old="", new=""):
        if name is None:
            return untouched
        path = package / name
        before = path.read_text(encoding="utf-8")
        assert old in before
        path.write_text(before.replace(old, new, 1), encoding="utf-8")
        try:
            return kernel_digest(package)
        finally:
            path.write_text(before, encoding="utf-8")

    untouched = kernel_digest(package)
    return edited


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("cli/__init__.py", "The command line", "A command line"),
        ("solvers/equivalents/kappa.py", '"""', '"""Words. '),
        ("solvers/linear/_ridge.py", "def ridge(", "# a remark\ndef ridge("),
        ("solvers/spectra.py", "import math", "import math  # a remark"),
    ],
)
def test_words_recompile_nothing(digest, name, old, new):
    assert digest(name, old, new) == digest()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("solvers/equivalents/kappa.py", "MAX_STEPS = 200", "MAX_STEPS = 201"),
        ("solvers/equivalents/kappa.py", "    return ", "    return 2 * "),
        ("solvers/_jit.py", '"fastmath": False', '"fastmath": True'),
        ("solvers/_kernel.py", '"boundscheck": None', '"boundscheck": True'),
    ],
)
def test_kernels_and_their_constants_do(digest, name, old, new):
    assert digest(name, old, new) != digest()
