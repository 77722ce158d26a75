"""Pictures of the tutorials: each is what a command of its page writes, and is drawn when the pages are built."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

SHOWN = re.compile(r"!\[[^\]]+\]\((\w+\.png)\)")
COMMAND = re.compile(r"^\$ scalinglaws (.*\.png)$", re.MULTILINE)


def commands(page: Path) -> dict[str, list[str]]:
    """Return the command behind each picture that a page shows, by the name of the picture."""
    text = page.read_text(encoding="utf-8")
    written = {words[-1]: words for words in map(shlex.split, COMMAND.findall(text))}
    missing = [name for name in SHOWN.findall(text) if name not in written]
    if missing:
        raise ValueError(f"{page}: no command writes {', '.join(missing)}")
    return {name: written[name] for name in SHOWN.findall(text)}


def draw(app) -> None:
    """Run the commands of the pictures that are not there yet, or older than their page."""
    from scalinglaws.cli import run

    for page in sorted((Path(app.srcdir) / "tutorials").glob("*.md")):
        for name, words in commands(page).items():
            path = page.parent / name
            if path.exists() and path.stat().st_mtime > page.stat().st_mtime:
                continue
            told = io.StringIO()
            with (
                contextlib.chdir(page.parent),
                contextlib.redirect_stdout(told),
                contextlib.redirect_stderr(told),
            ):
                code = run(words)
            if code or not path.exists():
                command = shlex.join(words)
                raise RuntimeError(
                    f"{page}: scalinglaws {command} wrote no picture: {told.getvalue()}"
                )


def setup(app):
    app.connect("builder-inited", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
