"""Pages of the reference: one for each theory in each room, written before the pages are read, from what the rooms hold.

What theories share has pages by hand in ``docs/api``. `ROOMS` and those pages make the list at the side.
"""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "api"
ROOMS = {
    "scalinglaws.theory": ("Theory", {"laws": "Laws and derivations", "calculus": "The calculus"}),
    "scalinglaws.solvers": ("Solvers", {"solvers": "Spectra and kernels"}),
    "scalinglaws.verify": ("Verify", {"verify": "Checks and verdicts"}),
    "scalinglaws.verify.simulate": ("Simulations", {}),
    "scalinglaws.verify.plots": ("Pictures", {}),
}
SHARED = ("What all rooms share", {"shared": "Notation, files, results"})

EMPIRICAL = "scalinglaws.verify.empirical"
PLANNED = {"design", "plan", "compare_laws", "compare_recipes", "compute_multiplier"}
EMPIRICAL_PAGES = {"data": "Own data and runs", "fits": "Fits", "plans": "Plans and comparisons"}


def modules(room: str) -> dict[str, list[str]]:
    """Return the theories of a room, each with the modules that its page shows: all it offers, and its laws."""
    from scalinglaws.rooms import NO_THEORY, submodules
    from scalinglaws.verify.registry import theories

    import_module(room)
    found = {}
    for name in submodules(room):
        module = import_module(f"{room}.{name}")
        folder = hasattr(module, "__path__") and name not in NO_THEORY
        if module.__name__ != EMPIRICAL and (folder or name in theories()):
            laws = folder and "laws" in submodules(module.__name__)
            found[name] = [module.__name__, *([f"{module.__name__}.laws"] if laws else [])]
    return found


def directive(*lines: str) -> str:
    return "```{eval-rst}\n" + "\n".join(lines) + "\n```\n"


def theory_page(room: str, name: str, shown: list[str]) -> str:
    title = f"{in_words(name)}: {ROOMS[room][0].lower()}"
    parts = [f".. automodule:: {one}\n   :members:\n" for one in shown]
    return f"# {title}\n\n{directive(*parts)}"


def empirical_pages() -> dict[str, str]:
    """Return the pages of the room that reads people's own measurements: its module is too large for one."""
    module = import_module(EMPIRICAL)
    planned = {getattr(module, name).__module__ for name in PLANNED}
    planned |= {f"{one}_record" for one in planned}
    names: dict[str, list[str]] = {page: [] for page in EMPIRICAL_PAGES}
    for name in module.__all__:
        home = getattr(getattr(module, name), "__module__", EMPIRICAL)
        page = "plans" if home in planned else "fits" if ".fits" in home else "data"
        names[page].append(name)
    data, *others = EMPIRICAL_PAGES
    texts = {
        data: directive(f".. automodule:: {EMPIRICAL}", f"   :members: {', '.join(names[data])}")
    }
    for page in others:
        parts = [f".. currentmodule:: {EMPIRICAL}\n"]
        for name in names[page]:
            kind = "autoclass" if isinstance(getattr(module, name), type) else "autofunction"
            parts.append(f".. {kind}:: {name}\n" + "   :members:\n" * (kind == "autoclass"))
        texts[page] = directive(*parts)
    return {page: f"# {EMPIRICAL_PAGES[page]}\n\n{texts[page]}" for page in texts}


def in_words(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def pages() -> dict[str, str]:
    """Return all pages that are not written by hand: their places below ``docs/api``, and their texts."""
    found = {}
    for room in ROOMS:
        if room == "scalinglaws.verify":
            found |= {f"empirical/{page}": text for page, text in empirical_pages().items()}
            continue
        for name, shown in modules(room).items():
            found[f"{room.rpartition('.')[2]}/{name}"] = theory_page(room, name, shown)
    return found


def contents() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the list at the side: headings, each with titles and documents."""
    found = []
    for room, (heading, by_hand) in ROOMS.items():
        entries = [(title, f"api/{page}") for page, title in by_hand.items()]
        if room == "scalinglaws.verify":
            entries += [(t, f"api/empirical/{page}") for page, t in EMPIRICAL_PAGES.items()]
        else:
            short = room.rpartition(".")[2]
            entries += [(in_words(name), f"api/{short}/{name}") for name in modules(room)]
        found.append((heading, entries))
    heading, by_hand = SHARED
    return [*found, (heading, [(title, f"api/{page}") for page, title in by_hand.items()])]


def write() -> None:
    """Write the pages that have changed, and remove those of theories that are gone."""
    texts = pages()
    for folder in {FOLDER / place.partition("/")[0] for place in texts}:
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if f"{folder.name}/{old.stem}" not in texts:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
    for place, text in texts.items():
        path = FOLDER / f"{place}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def toctrees() -> str:
    """Return what the reference's first page lists."""
    blocks = []
    for heading, entries in contents():
        lines = "\n".join(
            f"{title} <{document.removeprefix('api/')}>" for title, document in entries
        )
        blocks.append(f"## {heading}\n\n```{{toctree}}\n:maxdepth: 1\n\n{lines}\n```\n")
    return "\n".join(blocks)
