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
