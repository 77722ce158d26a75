"""Look through built pages: ``python docs/check_site.py FOLDER``.

Nothing a page loads comes from a network, no formula is left as LaTeX, no page is too large to read.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

LIMIT = (
    300_000  # bytes of what was written by hand or from docstrings; lists of everything are exempt
)
LISTS = {"genindex.html", "py-modindex.html", "search.html"}
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """Collect what a page loads, and what its formulas say."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.formulas: list[str] = []
        self._inside = 0

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        address = given.get(LOADED.get(tag, ""), "") or ""
        if tag in LOADED and given.get("rel") not in {"canonical", "author"}:
            self.loaded.append(address)
        classes = (given.get("class") or "").split()
        if tag == "math":
            self._inside += 1
        if "math" in classes and "notranslate" in classes:
            self.formulas.append("")

    def handle_endtag(self, tag):
        if tag == "math":
            self._inside -= 1

    def handle_data(self, text):
        if self._inside and self.formulas:
            self.formulas[-1] += text


def faults(page: Path, folder: Path) -> list[str]:
    """Say what is wrong with one page."""
    text = page.read_text(encoding="utf-8")
    found = Page()
    found.feed(text)
    wrong = [f"loads {one}" for one in found.loaded if re.match(r"(https?:)?//", one)]
    wrong += [
        f"shows {one.strip()[:60]!r}"
        for one in found.formulas
        if not one.strip() or re.search(r"\\[A-Za-z]", one)
    ]
    if len(text.encode()) > LIMIT and page.name not in LISTS:
        wrong.append(f"has {len(text.encode()) // 1000} kB")
    return [f"{page.relative_to(folder)} {one}" for one in wrong]


def style_faults(sheet: Path, folder: Path) -> list[str]:
    """Say what a style sheet loads from elsewhere."""
    text = sheet.read_text(encoding="utf-8")
    found = re.findall(r"(?:url\(\s*[\"']?|@import\s+[\"'])((?:https?:)?//[^\"')]+)", text)
    return [f"{sheet.relative_to(folder)} loads {one}" for one in found]


def main(folder: Path) -> int:
    pages = sorted(folder.rglob("*.html"))
    found = [one for page in pages for one in faults(page, folder)]
    found += [one for sheet in sorted(folder.rglob("*.css")) for one in style_faults(sheet, folder)]
    print("\n".join(found) or f"{len(pages)} pages need no network")
    return 1 if found or not pages else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
