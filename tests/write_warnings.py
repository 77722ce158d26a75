"""Write the table of warnings into ``docs/fit.md``.

Run it as ``python tests/write_warnings.py`` after a warning, its cause or its cure has changed.
"""

import sys
from pathlib import Path

# of the checkout that this file belongs to, whichever is installed
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scalinglaws.verify.empirical import warning_table

COMMAND = "python tests/write_warnings.py"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "fit.md"
FIRST, LAST = "<!-- warnings -->", "<!-- end of warnings -->"


def page(text):
    """Return the page with the table as it is now."""
    before, rest = text.split(FIRST)
    return (
        f"{before}{FIRST}\n\n{warning_table().to_markdown().strip()}\n\n{LAST}{rest.split(LAST)[1]}"
    )


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
"""Write the table of warnings into docs/runs.md, after a code was added: ``python tests/write_warnings.py``."""

from pathlib import Path

from scalinglaws.verify.empirical import warning_table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "runs.md"
MARK = "<!-- warnings: python tests/write_warnings.py -->"


def with_table(text: str) -> str:
    """Return the page with the table as it is now."""
    before, _, rest = text.partition(MARK)
    _, end, after = rest.partition("<!-- end -->")
    return f"{before}{MARK}\n\n{warning_table().to_markdown()}\n\n{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE}")
