"""Write the table of laws, ``scalinglaws/theory/catalogue.json``, from the laws, the checks and the remarks.

Run it as ``python tests/write_catalogue.py`` after a law, a check or a remark has been added or changed; it takes a minute.
"""

import inspect
import json
import pkgutil
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

# of the checkout that this file belongs to, whichever is installed
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scalinglaws import theory
from scalinglaws.theory import catalogue
from scalinglaws.verify import registry

COMMAND = "python tests/write_catalogue.py"


def builders():
    """Find the functions without arguments that build laws, by the laws' names."""
    found = {}
    for info in pkgutil.walk_packages(theory.__path__, f"{theory.__name__}."):
        for name, thing in vars(import_module(info.name)).items():
            own = name.endswith("_law") and getattr(thing, "__module__", "") == info.name
            if own and not inspect.signature(thing).parameters:
                found[thing().name] = f"{info.name}:{name}"
    return dict(sorted(found.items()))


def bibliography(law):
    """Return what a law cites, by key, without the places in the sources."""
    found = {source.key: asdict(source) for source in law.sources}
    return {
        key: {name: value for name, value in entry.items() if name not in ("key", "place")}
        for key, entry in found.items()
    }


def remarks():
    """Find what theories have to say about solvers: the module of a remark, by the solver's name."""
    found = {}
    for info in pkgutil.walk_packages(theory.__path__, f"{theory.__name__}."):
        if info.name.endswith(".remarks"):
            own = info.name.split(".")[-2]
            module = import_module(info.name)
            found |= {f"{own}.{name}": info.name for name in module.__all__}
    return dict(sorted(found.items()))


def table():
    """Return the whole table."""
    laws, sources = {}, {}
    for name, builder in builders().items():
        module, _, function = builder.partition(":")
        law = getattr(import_module(module), function)()
        cited = bibliography(law)
        laws[name] = {
            "builder": builder,
            "statement": law.statement,
            "symbols": dict(law.symbols),
            "sources": list(cited),
        }
        sources |= cited
        laws[name]["checks"] = []
        laws[name]["standing"] = law.standing
        laws[name]["places"] = sorted({source.place for source in law.sources if source.place})
        # a check may declare a law that is new
        catalogue.CATALOGUE[name] = catalogue.Entry(**laws[name])
    for name, entry in laws.items():
        entry["checks"] = list(registry.checks_of(name))
    return {"laws": laws, "sources": dict(sorted(sources.items())), "remarks": remarks()}


if __name__ == "__main__":
    path = Path(catalogue.__file__).with_suffix(".json")
    path.write_text(json.dumps(table(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {path}")
