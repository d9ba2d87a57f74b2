"""Published results, one file each: statement, reference, prediction, check and figure."""

from bea.theorems.checking import THEOREMS, get_theorem, verify
from bea.theorems.claims import Claim, Theorem, Verdict
from bea.theorems.slopes import Slope, slope

__all__ = ["THEOREMS", "Claim", "Slope", "Theorem", "Verdict", "get_theorem", "slope", "verify"]
