"""Backward error analysis of real models: any JAX loss, any pytree of parameters, no Hessian formed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from bea.extras import MissingExtraError as MissingExtraError
from bea.extras import missing_extra

_PUBLIC = {
    "CentralPath": "bea.nets.central",
    "Classifier": "bea.nets.measures",
    "ComparedFlow": "bea.nets.comparison",
    "Comparison": "bea.nets.experiments",
    "FlowComparison": "bea.nets.comparison",
    "FlowPath": "bea.nets.flows",
    "InterruptedTraining": "bea.nets.training",
    "MLP": "bea.nets.models",
    "Mean": "bea.nets.estimates",
    "ModifiedField": "bea.nets.fields",
    "ModifiedLoss": "bea.nets.losses",
    "PrincipalPath": "bea.nets.principal_flow",
    "Robustness": "bea.nets.perturbations",
    "Sharpness": "bea.nets.curvature",
    "Split": "bea.nets.data",
    "Training": "bea.nets.training",
    "accuracy": "bea.nets.models",
    "add_gradient_regularization": "bea.nets.transformations",
    "central_flow": "bea.nets.central",
    "classifier": "bea.nets.measures",
    "compare_flows": "bea.nets.comparison",
    "cross_entropy": "bea.nets.models",
    "digits": "bea.nets.data",
    "distances": "bea.nets.closeness",
    "explicit_regularization": "bea.nets.losses",
    "flow": "bea.nets.flows",
    "hessian_trace": "bea.nets.curvature",
    "modified_field": "bea.nets.fields",
    "modified_loss": "bea.nets.losses",
    "observed_field": "bea.nets.observed",
    "perceptrons": "bea.nets.experiments",
    "principal_field": "bea.nets.principal_flow",
    "principal_path": "bea.nets.principal_flow",
    "regularizer": "bea.nets.losses",
    "robustness": "bea.nets.perturbations",
    "sharpness": "bea.nets.curvature",
    "slope": "bea.nets.losses",
    "squared_error": "bea.nets.models",
    "stack": "bea.nets.models",
    "sweep_regularization": "bea.nets.experiments",
    "sweep_step_sizes": "bea.nets.experiments",
    "train": "bea.nets.training",
}

__all__ = sorted([*_PUBLIC, "MissingExtraError"])

if TYPE_CHECKING:
    from bea.nets.central import CentralPath as CentralPath
    from bea.nets.central import central_flow as central_flow
    from bea.nets.closeness import distances as distances
    from bea.nets.comparison import ComparedFlow as ComparedFlow
    from bea.nets.comparison import FlowComparison as FlowComparison
    from bea.nets.comparison import compare_flows as compare_flows
    from bea.nets.curvature import Sharpness as Sharpness
    from bea.nets.curvature import hessian_trace as hessian_trace
    from bea.nets.curvature import sharpness as sharpness
    from bea.nets.data import Split as Split
    from bea.nets.data import digits as digits
    from bea.nets.estimates import Mean as Mean
    from bea.nets.experiments import Comparison as Comparison
    from bea.nets.experiments import perceptrons as perceptrons
    from bea.nets.experiments import sweep_regularization as sweep_regularization
    from bea.nets.experiments import sweep_step_sizes as sweep_step_sizes
    from bea.nets.fields import ModifiedField as ModifiedField
    from bea.nets.fields import modified_field as modified_field
    from bea.nets.flows import FlowPath as FlowPath
    from bea.nets.flows import flow as flow
    from bea.nets.losses import ModifiedLoss as ModifiedLoss
    from bea.nets.losses import explicit_regularization as explicit_regularization
    from bea.nets.losses import modified_loss as modified_loss
    from bea.nets.losses import regularizer as regularizer
    from bea.nets.losses import slope as slope
    from bea.nets.measures import Classifier as Classifier
    from bea.nets.measures import classifier as classifier
    from bea.nets.models import MLP as MLP
    from bea.nets.models import accuracy as accuracy
    from bea.nets.models import cross_entropy as cross_entropy
    from bea.nets.models import squared_error as squared_error
    from bea.nets.models import stack as stack
    from bea.nets.observed import observed_field as observed_field
    from bea.nets.perturbations import Robustness as Robustness
    from bea.nets.perturbations import robustness as robustness
    from bea.nets.principal_flow import PrincipalPath as PrincipalPath
    from bea.nets.principal_flow import principal_field as principal_field
    from bea.nets.principal_flow import principal_path as principal_path
    from bea.nets.training import InterruptedTraining as InterruptedTraining
    from bea.nets.training import Training as Training
    from bea.nets.training import train as train
    from bea.nets.transformations import add_gradient_regularization as add_gradient_regularization


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'bea.nets' has no attribute {name!r}")
    try:
        value = getattr(import_module(_PUBLIC[name]), name)
    except ModuleNotFoundError as error:
        raise missing_extra(f"bea.nets.{name}", error) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_PUBLIC))
