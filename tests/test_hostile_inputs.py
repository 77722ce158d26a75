"""No callable answers a hostile argument with NaN, with somebody else's error, or not at all."""

import runpy
from pathlib import Path

from hypothesis import strategies as st

from scalinglaws.solvers import Spectrum

HOSTILE = runpy.run_path(str(Path(__file__).with_name("hostile.py")))
CALLABLES = dict(HOSTILE["callables"]())


@st.composite
def calls(draw, call):
    """Draw arguments that are right for a callable, and spoil up to two of them."""
    given = {
        entry.name: draw(st.sampled_from(HOSTILE["sane"](entry, call)))
        for entry in HOSTILE["parameters"](call)
        if HOSTILE["is_given"](entry) or draw(st.booleans())
    }
    for name in draw(st.lists(st.sampled_from([*given]), max_size=2)) if given else ():
        if name != "self":
            kind = "SPECTRA" if isinstance(given[name], Spectrum) else "EXTREME"
            given[name] = draw(
                st.sampled_from(HOSTILE[draw(st.sampled_from((kind, kind, "WRONG")))])
            )
    return given
