"""The losses on which the theorem of injected noise is checked, and the ways to inject noise into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from bea.noise import Bernoulli, anti_pgd, dropconnect, dropout, input_noise, label_noise, minibatch, sgld
from bea.numerics.manifold import project
from bea.systems import Loss
from bea.systems.catalogue import diagonal_network, sum_of_products, tanh_network, two_parameter
from bea.systems.derivatives import partial_derivatives
from bea.systems.noisy_loss import NoisyLoss

__all__ = [
    "BALANCING",
    "DATA_LOSSES",
    "INPUTS",
    "OUTPUTS",
    "THREE",
    "UNBALANCED",
    "WEIGHTS",
    "Case",
    "drift_cases",
    "label_cases",
    "langevin_cases",
    "minibatches",
    "trace",
]

#: Three products that sum to 1, and a start there, far from balanced.
THREE = ("a1*b1", "a2*b2", "a3*b3")
BALANCING = (1.5, 0.4, 0.3, 0.5, 0.5, 1 / 6)
#: Functions that the gradient flows conserve, so that noise across Γ hardly shows in them: of the sum of
#: products, and of the diagonal network, whose weights u_j and 1/v_j move at rates that two data span.
RATIO, PRODUCT, LOGARITHM = "(a1 + b1)/(a2 + b2)", "u1*v1", "3*log(u1) + log(u2) - 4*log(u3)"
#: A start on ab = 0.6, far from balanced.
UNBALANCED = (2.0, 0.3)
#: Two data for the diagonal network w = u² − v², and weights u, v that fit them.
INPUTS, OUTPUTS = ((0.5, 0.5, 0.5), (0.5, -0.5, 0.25)), (0.74, 0.22)
WEIGHTS = (1.0, 0.8, 0.5, 0.4, 0.4, 0.3)
#: The tanh network of two units on two inputs, and its variables.
POINTS, UNITS, TANH_WEIGHTS = (-1, 1), "a1*tanh(w1*x + b1) + a2*tanh(w2*x + b2)", "a1 a2 w1 w2 b1 b2"
#: Consistent data for minibatches: losses of the data, one each, and their variables.
DATA_LOSSES = {
    "a path of two products": (["(a*b - 1)**2", "(b*c - 1)**2"], "a b c"),
    "diagonal network": (
        [f"({' + '.join(f'({x})*(u{j}**2 - v{j}**2)' for j, x in enumerate(row, 1))} - {y})**2"
         for row, y in zip(INPUTS, OUTPUTS, strict=True)],
        "u1 u2 u3 v1 v2 v3",
    ),
    "tanh network": (
        [f"({UNITS.replace('x', f'({x})')} - ({x})/2)**2/2" for x in POINTS],
        TANH_WEIGHTS,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A noisy loss, a start on its zero-loss set, and what is measured of it.

    Attributes
    ----------
    label : str
        The way to inject noise, and the loss.
    noisy : NoisyLoss
    start : sequence of float
    statistic : str or sympy.Expr
        A function that falls along the limit.
    time : float
        How long the limit is followed.
    variance : float
        σ² is this, times a number that is small.
    replicas : int
        How many there are in the quick check.
    """

    label: str
    noisy: NoisyLoss
    start: Sequence[float]
    statistic: str | sympy.Expr
    time: float
    variance: float = 1.0
    replicas: int = 1024


def drift_cases() -> list[Case]:
    """The noisy losses that follow the constrained gradient flow of a regulariser."""
    products, network = sum_of_products(n=3), diagonal_network(INPUTS, OUTPUTS)
    weighted = [" + ".join(f"{p}*{node}" for p, node in zip(THREE, ("n1", "n2", "n3"), strict=True))]
    weights = [v.name for v in products.variables]
    nodes = [UNITS.replace("*tanh(w1*x", f"*n1*tanh(w1*({x})").replace("*tanh(w2*x", f"*n2*tanh(w2*({x})")
             for x in POINTS]  # fmt: skip
    linear = " + ".join(f"(u{j}**2 - v{j}**2)*x{j}" for j in (1, 2, 3))
    balanced = _on_tanh_network((1.6, -0.8, 0.8, 0.6, 0.2, -0.3), (-0.5, 0.5))
    lopsided = _on_tanh_network((0.8, 0.8, 1.6, 0.5, 0.6, -0.6), (-0.8, 0.8))
    names = [v.name for v in network.variables]
    return [
        Case("DropConnect, normal, three products", dropconnect(products), BALANCING, RATIO, 0.5, 0.5),
        Case("DropConnect, normal, diagonal network", dropconnect(network), WEIGHTS, PRODUCT, 0.5, 0.5),
        Case("DropConnect, dropping, three products",
             dropconnect(products, Bernoulli()), BALANCING, RATIO, 0.5, 0.5, replicas=2048),
        Case("DropConnect, dropping, diagonal network",
             dropconnect(network, Bernoulli()), WEIGHTS, PRODUCT, 1.0, 0.5),
        Case("Dropout, three products",
             dropout(weighted, [1], weights, nodes="n1 n2 n3"), BALANCING, RATIO, 1.0, replicas=2048),
        Case("Dropout, tanh network",
             dropout(nodes, [-0.5, 0.5], TANH_WEIGHTS, nodes="n1 n2"), balanced, "w2", 1.0),
        Case("anti-correlated noise, three products",
             anti_pgd(products), BALANCING, "a1**2 + b1**2", 0.5, 0.5),
        Case("anti-correlated noise, diagonal network",
             anti_pgd(network), WEIGHTS, "u1**2 + v1**2", 0.25, 0.25),
        Case("input noise, diagonal network",
             input_noise(linear, "x1 x2 x3", INPUTS, OUTPUTS, names, half=False),
             WEIGHTS, LOGARITHM, 0.25, 0.25),
        Case("input noise, tanh network",
             input_noise(UNITS, "x", [[x] for x in POINTS], [-0.8, 0.8], TANH_WEIGHTS), lopsided, "b1", 1.0),
    ]  # fmt: skip


def label_cases() -> list[Case]:
    """Label noise, whose limit is a flow on the slow scale that lowers the trace of the Hessian."""
    product, network = two_parameter(), diagonal_network(INPUTS, OUTPUTS)
    return [
        Case("label noise, one product", label_noise(product), UNBALANCED, trace(product), 0.5, replicas=256),
        Case(
            "label noise, diagonal network", label_noise(network), WEIGHTS, trace(network), 0.5, replicas=768
        ),
    ]


def langevin_cases() -> list[Case]:
    """Isotropic noise, whose limit is random; what falls is minus the square of the distance travelled."""
    products, network = sum_of_products(n=3), diagonal_network(INPUTS, OUTPUTS)
    return [
        Case(f"Langevin noise, {label}", sgld(loss), start, _minus_square_distance(loss, start), time)
        for label, loss, start, time in (
            ("three products", products, BALANCING, 1.0),
            ("diagonal network", network, WEIGHTS, 0.25),
        )
    ]


def trace(loss: Loss) -> sympy.Expr:
    """The trace of the Hessian, with the values of the parameters."""
    bends = [partial_derivatives(g, [v])[0] for g, v in zip(loss.gradient, loss.variables, strict=True)]
    return sympy.Add(*bends).xreplace({s: loss.parameters[s.name] for s in loss.parameter_symbols})


def minibatches(label: str, batch: int, replacement: bool) -> NoisyLoss:
    """Minibatches of one of the lists of losses of data."""
    losses, variables = DATA_LOSSES[label]
    return minibatch(losses, batch, replacement, variables)


def _minus_square_distance(loss: Loss, start: Sequence[float]) -> sympy.Expr:
    return -sympy.Add(*[(v - x) ** 2 for v, x in zip(loss.variables, start, strict=True)])


def _on_tanh_network(near: Sequence[float], outputs: Sequence[float]) -> tuple[float, ...]:
    """A point of the zero-loss set of the tanh network."""
    return tuple(project(tanh_network(POINTS, outputs, 2), np.array(near)).x.tolist())
