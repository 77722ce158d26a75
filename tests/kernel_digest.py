"""A digest of everything that compiled kernels are made of, and of nothing else.

Numba notices edits of a kernel's own file, not of the kernels and constants that it takes from others. So the cache folder
of the tests is named by the code of the kernels, their helpers' modules, and the constants beside them: an edit of a
docstring, of the command line or of a public function recompiles nothing.
"""

import ast
import hashlib
from pathlib import Path


def kernel_digest(package: Path) -> str:
    """Return a short digest of the kernels of a package and of what they take from other modules."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(package.rglob("*.py"))}
    trees = {path: ast.parse(text) for path, text in texts.items() if "njit" in text}
    holding = {path: [n for n in tree.body if _is_kernel(n)] for path, tree in trees.items()}
    holding = {path: kernels for path, kernels in holding.items() if kernels}
    found = hashlib.sha256()
    for door in ("_jit.py", "_kernel.py"):  # with the options of the compiler
        found.update((package / "solvers" / door).read_bytes())
    seen = set(holding)
    for path, kernels in holding.items():
        for kernel in kernels:
            found.update(_code(kernel))
        seen |= _sources(path, trees[path], kernels) & texts.keys()
    for path in sorted(seen):
        for node in (trees.get(path) or ast.parse(texts[path])).body:
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                found.update(_code(node))
    return found.hexdigest()[:16]


def _is_kernel(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        "njit" in ast.unparse(decorator) for decorator in node.decorator_list
    )


def _code(node: ast.stmt) -> bytes:
    """Return the code of a statement without comments, layout and docstring."""
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
        node = ast.FunctionDef(
            **{name: getattr(node, name) for name in node._fields if name != "body"},
            body=node.body[1:] or [ast.Pass()],
        )
    return ast.dump(node).encode()


def _sources(path: Path, tree: ast.Module, kernels: list[ast.stmt]) -> set[Path]:
    """Return the files of the modules from which kernels take names."""
    used = {n.id for kernel in kernels for n in ast.walk(kernel) if isinstance(n, ast.Name)}
    files = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for alias in node.names:
                if (alias.asname or alias.name) in used:
                    files |= {folder.with_suffix(".py"), folder / f"{alias.name}.py"}
    return files
