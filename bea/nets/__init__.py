"""Backward error analysis of real models: any JAX loss, any pytree of parameters, no Hessian formed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from bea.extras import MissingExtraError as MissingExtraError
from bea.extras import missing_extra

_PUBLIC = {
    "FlowPath": "bea.nets.flows",
    "Mean": "bea.nets.estimates",
    "ModifiedField": "bea.nets.fields",
    "ModifiedLoss": "bea.nets.losses",
    "Robustness": "bea.nets.perturbations",
    "Sharpness": "bea.nets.curvature",
    "add_gradient_regularization": "bea.nets.transformations",
    "explicit_regularization": "bea.nets.losses",
    "flow": "bea.nets.flows",
    "hessian_trace": "bea.nets.curvature",
    "modified_field": "bea.nets.fields",
    "modified_loss": "bea.nets.losses",
    "observed_field": "bea.nets.observed",
    "regularizer": "bea.nets.losses",
    "robustness": "bea.nets.perturbations",
    "sharpness": "bea.nets.curvature",
    "slope": "bea.nets.losses",
}

__all__ = sorted([*_PUBLIC, "MissingExtraError"])

if TYPE_CHECKING:
    from bea.nets.curvature import Sharpness as Sharpness
    from bea.nets.curvature import hessian_trace as hessian_trace
    from bea.nets.curvature import sharpness as sharpness
    from bea.nets.estimates import Mean as Mean
    from bea.nets.fields import ModifiedField as ModifiedField
    from bea.nets.fields import modified_field as modified_field
    from bea.nets.flows import FlowPath as FlowPath
    from bea.nets.flows import flow as flow
    from bea.nets.losses import ModifiedLoss as ModifiedLoss
    from bea.nets.losses import explicit_regularization as explicit_regularization
    from bea.nets.losses import modified_loss as modified_loss
    from bea.nets.losses import regularizer as regularizer
    from bea.nets.losses import slope as slope
    from bea.nets.observed import observed_field as observed_field
    from bea.nets.perturbations import Robustness as Robustness
    from bea.nets.perturbations import robustness as robustness
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
