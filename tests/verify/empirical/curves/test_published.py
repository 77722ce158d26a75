"""27 published curves (25M, 100M, 400M parameters, nine schedules each), where SCALINGLAWS_CURVES_DIR says where they lie.

They are those of github.com/thu-yao-01-luo/MultiPowerLaw, ``loss_curve_repo``, which do not come with the package: folders csv_25,
csv_100 and csv_400 with a file for each schedule, columns step, lr and loss, a row every 128 steps from the end of warm-up at
step 2160 on.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from scalinglaws.verify.empirical import compare_curves, fit_curves

FOLDER = os.environ.get("SCALINGLAWS_CURVES_DIR", "")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER, reason="SCALINGLAWS_CURVES_DIR names no folder"),
]
TEST = (
    "constant_72000",
    "cosine_72000",
    "wsd_20000_24000",
    "wsdld_20000_24000",
    "wsdcon_3",
    "wsdcon_18",
)
# mean errors of the loss on the six curves that were not fitted
KNOWN = {
    "multi_power": {"25": 0.0014, "100": 0.0017, "400": 0.0023},
    "momentum": {"25": 0.0013, "100": 0.0017, "400": 0.0026},
}


@pytest.mark.parametrize("size", ["25", "100", "400"])
@pytest.mark.parametrize("law", ["multi_power", "momentum"])
def test_six_curves_from_three(law, size):
    fit = fit_curves(law, Path(FOLDER) / f"csv_{size}", holdout=TEST, warmup=2160, points=10**6)
    assert [row.message for row in fit.held_out] == [""] * 6
    errors = []
    for curve in fit.curves:
        if curve.name in TEST:
            late = curve.steps > curve.warmup
            errors.append(np.mean(np.abs(curve.fitted - curve.losses)[late] / curve.losses[late]))
    assert np.mean(errors) < 2 * KNOWN[law][size]
    assert max(abs(row.final_error) for row in fit.held_out) < 0.011


def test_all_laws_are_compared():
    found = compare_curves(Path(FOLDER) / "csv_100", holdout=TEST, warmup=2160)
    assert all(not row.message for row in found.rows)
    assert found.best
