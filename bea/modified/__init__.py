"""The analysis: logarithms of maps, modified equations, modified losses."""

from bea.modified.drift import DiscretizationDrift, discretization_drift
from bea.modified.elementary_differentials import elementary_differential, evaluate_series
from bea.modified.equation import ModifiedEquation, modified_equation, modifying_integrator
from bea.modified.free_tree_functions import free_tree_function, modified_loss_of_series
from bea.modified.katzenberger import ConstrainedDiffusion
from bea.modified.modified_hamiltonian import ModifiedHamiltonian, modified_hamiltonian
from bea.modified.modified_loss import ModifiedLoss
from bea.modified.noise_limit import Limit, limit
from bea.modified.observed import observed_field
from bea.modified.principal import principal_expansion, principal_flow
from bea.modified.stochastic import StochasticModifiedEquation, stochastic_modified_equation

__all__ = [
    "ConstrainedDiffusion",
    "DiscretizationDrift",
    "Limit",
    "ModifiedEquation",
    "ModifiedHamiltonian",
    "ModifiedLoss",
    "StochasticModifiedEquation",
    "discretization_drift",
    "elementary_differential",
    "evaluate_series",
    "free_tree_function",
    "limit",
    "modified_equation",
    "modified_hamiltonian",
    "modified_loss_of_series",
    "modifying_integrator",
    "observed_field",
    "principal_expansion",
    "principal_flow",
    "stochastic_modified_equation",
]
