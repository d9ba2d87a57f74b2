"""Backward error analysis: the differential equation that a discrete algorithm really follows.

Every public name is loaded on first use, so that ``import bea`` stays cheap.

Examples
--------
>>> import bea
>>> loss = bea.Loss("(1 - a*b)**2 / 2", variables="a b")
>>> equation = bea.modified_equation(loss, bea.GradientDescent(), order=1)
>>> equation.loss.terms[1].factor()
(a**2 + b**2)*(a*b - 1)**2/4
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_PUBLIC = {
    "VectorField": "bea.systems",
    "Loss": "bea.systems",
    "LossSum": "bea.systems",
    "SplitField": "bea.systems",
    "Game": "bea.systems",
    "ZeroLossSet": "bea.systems",
    "NoisyLoss": "bea.systems",
    "noise": "bea.noise",
    "catalogue": "bea.systems.catalogue",
    "schemes": "bea.schemes",
    "GradientDescent": "bea.schemes",
    "HeavyBall": "bea.schemes",
    "Nesterov": "bea.schemes",
    "Adam": "bea.schemes",
    "SimultaneousDescent": "bea.schemes",
    "AlternatingDescent": "bea.schemes",
    "LieTrotter": "bea.schemes",
    "Strang": "bea.schemes",
    "CyclicDescent": "bea.schemes",
    "RandomShuffling": "bea.schemes",
    "WithReplacement": "bea.schemes",
    "series": "bea.series",
    "RootedTree": "bea.series",
    "FlowSeries": "bea.series",
    "FieldSeries": "bea.series",
    "bseries": "bea.series",
    "rooted_trees": "bea.series",
    "modified_equation": "bea.modified",
    "modifying_integrator": "bea.modified",
    "ModifiedEquation": "bea.modified",
    "ModifiedLoss": "bea.modified",
    "ModifiedHamiltonian": "bea.modified",
    "observed_field": "bea.modified",
    "principal_flow": "bea.modified",
    "principal_expansion": "bea.modified",
    "stochastic_modified_equation": "bea.modified",
    "StochasticModifiedEquation": "bea.modified",
    "discretization_drift": "bea.modified",
    "evaluate_series": "bea.modified",
    "limit": "bea.modified",
    "modified_loss_of_series": "bea.modified",
    "modified_hamiltonian": "bea.modified",
    "flow": "bea.numerics",
    "iterate": "bea.numerics",
    "principal_path": "bea.numerics",
    "stochastic_paths": "bea.numerics",
    "ensemble": "bea.numerics",
    "constrained_flow": "bea.numerics",
    "constrained_paths": "bea.numerics",
    "project": "bea.numerics",
    "flow_limit": "bea.numerics",
    "local_stability": "bea.numerics",
    "StepMap": "bea.numerics.step_map",
    "arbitrary": "bea.numerics.arbitrary",
    "slope": "bea.theorems",
    "verify": "bea.theorems",
    "theorems": "bea.theorems",
    "sweep": "bea.sweeps",
    "SweepResult": "bea.sweeps",
    "plots": "bea.plots",
    "sparse": "bea.sparse",
    "nets": "bea.nets",
}

__all__ = [
    "Adam",
    "AlternatingDescent",
    "CyclicDescent",
    "FieldSeries",
    "FlowSeries",
    "Game",
    "GradientDescent",
    "HeavyBall",
    "LieTrotter",
    "Loss",
    "LossSum",
    "ModifiedEquation",
    "ModifiedHamiltonian",
    "ModifiedLoss",
    "Nesterov",
    "NoisyLoss",
    "RandomShuffling",
    "RootedTree",
    "SimultaneousDescent",
    "SplitField",
    "StepMap",
    "StochasticModifiedEquation",
    "Strang",
    "SweepResult",
    "VectorField",
    "WithReplacement",
    "ZeroLossSet",
    "arbitrary",
    "bseries",
    "catalogue",
    "constrained_flow",
    "constrained_paths",
    "discretization_drift",
    "ensemble",
    "evaluate_series",
    "flow",
    "flow_limit",
    "iterate",
    "limit",
    "local_stability",
    "modified_equation",
    "modified_hamiltonian",
    "modified_loss_of_series",
    "modifying_integrator",
    "nets",
    "noise",
    "observed_field",
    "plots",
    "principal_expansion",
    "principal_flow",
    "principal_path",
    "project",
    "rooted_trees",
    "schemes",
    "series",
    "slope",
    "sparse",
    "stochastic_modified_equation",
    "stochastic_paths",
    "sweep",
    "theorems",
    "verify",
]

if TYPE_CHECKING:
    from bea import nets, noise, plots, schemes, series, sparse, theorems
    from bea.modified import (
        ModifiedEquation,
        ModifiedHamiltonian,
        ModifiedLoss,
        StochasticModifiedEquation,
        discretization_drift,
        evaluate_series,
        limit,
        modified_equation,
        modified_hamiltonian,
        modified_loss_of_series,
        modifying_integrator,
        observed_field,
        principal_expansion,
        principal_flow,
        stochastic_modified_equation,
    )
    from bea.numerics import (
        arbitrary,
        constrained_flow,
        constrained_paths,
        ensemble,
        flow,
        flow_limit,
        iterate,
        local_stability,
        principal_path,
        project,
        stochastic_paths,
    )
    from bea.numerics.step_map import StepMap
    from bea.schemes import (
        Adam,
        AlternatingDescent,
        CyclicDescent,
        GradientDescent,
        HeavyBall,
        LieTrotter,
        Nesterov,
        RandomShuffling,
        SimultaneousDescent,
        Strang,
        WithReplacement,
    )
    from bea.series import FieldSeries, FlowSeries, RootedTree, bseries, rooted_trees
    from bea.sweeps import SweepResult, sweep
    from bea.systems import Game, Loss, LossSum, NoisyLoss, SplitField, VectorField, ZeroLossSet, catalogue
    from bea.theorems import slope, verify


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'bea' has no attribute {name!r}")
    home = _PUBLIC[name]
    module = import_module(home)
    value = module if home.endswith(f".{name}") else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_PUBLIC))
