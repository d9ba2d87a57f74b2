"""Colours and their order, and the cost of what is not drawn."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from bea.plots.style import ORDER_COLOURS, order_colour, tints


def luminance(colour):
    return np.dot([0.2126, 0.7152, 0.0722], to_rgb(colour))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_a_larger_step_is_darker(count):
    shades = [luminance(c) for c in tints("#D55E00", count)]
    assert len(shades) == count
    assert (np.diff(shades) < 0).all()


def test_every_order_to_eight_has_its_colour():
    assert len({order_colour(k) for k in range(9)}) == 9 == len(ORDER_COLOURS)


@pytest.mark.parametrize("module", ["bea", "bea.modified", "bea.numerics", "bea.theorems"])
def test_nothing_below_the_pictures_loads_matplotlib(module):
    code = f"import sys, {module}; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
