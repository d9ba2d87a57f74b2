"""Settings for all tests: pictures without a screen, and the oracles on the import path."""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
sys.path.insert(0, str(Path(__file__).parent / "oracles"))
