"""The statistics equal scipy's and statsmodels': 13 comparisons of 1,000 random inputs, 10,000 in the soak."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv-reference" / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
SEED = "20080111"
COMPARED = 13
INPUTS = 1_000


def run(*arguments):
    if not PYTHON.exists():
        pytest.fail("The environment to compare with is missing; make it with `python3 do.py test tests/audit`.")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [PYTHON, "-W", "error", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=1800)


def check(inputs, seed):
    done = run("tests/audit/statistics_reference.py", seed, str(inputs))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(f": {inputs} inputs, no difference") == COMPARED


def test_the_statistics_equal_scipy_and_statsmodels():
    check(INPUTS, SEED)


@pytest.mark.soak
def test_the_statistics_equal_scipy_and_statsmodels_over_ten_thousand_inputs_each():
    check(10_000, f"{SEED}0")


def test_a_difference_would_be_noticed():
    spoilt = (
        "import sys; sys.path.insert(0, 'tests/audit'); import statistics_reference as reference; "
        "from consult.audit import statistics; "
        "statistics.Z += 1e-7; sys.exit(reference.main(1, 50))"
    )
    done = run("-c", spoilt)
    assert done.returncode == 1
    assert done.stdout.startswith("wilson ("), done.stdout + done.stderr
