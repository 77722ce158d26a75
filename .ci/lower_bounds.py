"""Print what the package and its tests require, each at the lowest version that pyproject.toml allows."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
for line in project["dependencies"] + project["optional-dependencies"]["test"]:
    print(line.replace(">=", "==") + (".*" if line.count(".") < 2 else ""))
