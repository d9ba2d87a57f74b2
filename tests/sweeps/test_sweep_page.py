"""The page about sweeps shows what is true."""

import ast
import re
from pathlib import Path

import numpy as np

PAGE = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text(encoding="utf-8")
FIRST, SECOND = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def test_the_example_runs_and_resumes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "phase.py").write_text(FIRST, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import phase

    assert phase.result.success
    assert phase.converged.shape == (3, 3)
    # One weight is a linear equation, |1 - w| shrinks by 0.95 at each step; deep products begin at a saddle.
    assert (phase.converged[0] == 1).all()
    assert phase.converged[2, 0] < 1
    again = phase.bea.sweep(phase.last_loss, phase.grid, store="results")
    assert again.reused == 90
    np.testing.assert_array_equal(again["length"], phase.result["length"])


def test_the_second_block_is_python():
    assert ast.parse(SECOND).body
