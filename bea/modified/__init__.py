"""The analysis: logarithms of maps, modified equations, modified losses."""

from bea.modified.equation import ModifiedEquation, modified_equation, modifying_integrator
from bea.modified.modified_loss import ModifiedLoss
from bea.modified.observed import observed_field

__all__ = [
    "ModifiedEquation",
    "ModifiedLoss",
    "modified_equation",
    "modifying_integrator",
    "observed_field",
]
