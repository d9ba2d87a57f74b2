"""What implicit gradient regularization does to networks (Barrett and Dherin 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bea.theorems.claims import Claim, Run, Theorem

__all__ = ["RegularizationOfNetworks"]


class RegularizationOfNetworks(Theorem):
    """On networks, too, descent follows its modified flow; four predictions of what comes of it."""

    name = "igr-networks"
    extra = "nets"
    title = "Implicit gradient regularization of networks"
    statement = (
        r"Gradient descent with the step size $h$ on the loss $E$ of a network with $m$ parameters follows "
        r"the gradient flow of $E + \frac{h}{4} \|\nabla E\|^2 = E + \frac{hm}{4} R$. At a fixed time it is "
        r"$O(h)$ away from the gradient flow of $E$, $O(h^2)$ from this one and $O(h^3)$ from that with two "
        r"terms. Published predictions: a larger $h$, the more so the larger $m$, (1) lowers $R$ relative "
        r"to $E$, (2) finds flatter optima, (3) raises the test accuracy and (4) makes optima more robust "
        r"to perturbations of the parameters. They are measured on perceptrons that learn handwritten "
        r"digits, in pairs with the gradient flow. At equal loss (1) and (2) are confirmed, at equal time "
        r"the changes are smaller; only that of $R$ clearly grows with $m$. (4) is confirmed for the loss, "
        r"and for the accuracy only of networks that learn by the squared error. (3) is not: the accuracy "
        r"changes by less than half a percentage point, and not upwards."
    )
    references = (
        "D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference "
        "on Learning Representations, Theorem 3.1, Predictions 2.1–2.4 and Section 6",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """Orders on a network, the four predictions, explicit regularization, and controls."""
        from bea.theorems import igr_networks_claims as claims

        yield from claims.closeness(run)
        yield from claims.predictions(run)
        yield from claims.explicit(run)
        yield from claims.controls(run)

    def figure(self, run: Run) -> Any:
        """The four predictions against the step size, the orders, and explicit regularization."""
        from bea.plots.igr_networks import igr_networks_figure

        return igr_networks_figure(run.data)
