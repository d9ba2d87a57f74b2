"""Published results, one file each: statement, reference, prediction, check and figure."""

from bea.theorems.claims import Claim, Theorem, Verdict
from bea.theorems.slope import Slope, slope
from bea.theorems.verify import THEOREMS, get_theorem, verify

__all__ = ["THEOREMS", "Claim", "Slope", "Theorem", "Verdict", "get_theorem", "slope", "verify"]
