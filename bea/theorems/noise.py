"""Injected noise moves gradient descent along the zero-loss set, on one of two time scales."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.noise_claims_drift import drift_claims, fast_phase
from bea.theorems.noise_claims_labels import label_claims
from bea.theorems.noise_claims_langevin import langevin_claims
from bea.theorems.noise_claims_remainder import remainder_claims
from bea.theorems.noise_claims_rest import minibatch_claims, uncovered_claims
from bea.theorems.noise_figure import noise_figure

__all__ = ["NoiseAlongTheZeroLossSet"]


class NoiseAlongTheZeroLossSet(Theorem):
    """Noisy descent follows a constrained gradient flow or a diffusion, or rests, as its loss tells."""

    name = "noise"
    title = "Noise injection along the zero-loss set"
    statement = (
        r"Let $w_{k+1} = w_k - \alpha \nabla_w \hat L(w_k, \eta_k)$ with independent noise of mean 0 and "
        r"variance $\sigma^2$. In $O(1/\alpha)$ steps $w$ comes to the zero-loss set $\Gamma$, where the "
        r"gradient flow leads. If $\mathrm{Reg} = \frac{1}{2} \Delta_\eta \hat L(w, 0)$ is not constant "
        r"along $\Gamma$, then in $t/(\alpha\sigma^2)$ steps $w$ follows $\dot W = -P \nabla "
        r"\mathrm{Reg}(W)$, $P$ the projection onto the tangent space. For noise that is seldom but not "
        r"small, such as dropped weights, $\mathrm{Reg}$ is the limit of $(E \hat L - L)/\sigma^2$ instead, "
        r"which is the same where $\hat L$ is quadratic in every component. If the gradient is affine in "
        r"the noise, nothing moves on that scale, and on that of $t/(\alpha^2\sigma^2)$ steps $w$ follows a "
        r"diffusion on $\Gamma$; for label noise it is the flow $\dot W = -\frac{c}{4} P \nabla "
        r"\mathrm{tr} H$. Minibatches move nothing on either scale."
    )
    references = (
        "A. Shalova, A. Schlichting and M. Peletier (2024), Singular-limit analysis of gradient descent with "
        "noise injection",
        "Z. Li, T. Wang and S. Arora (2022), What happens after SGD reaches zero loss? A mathematical "
        "framework, International Conference on Learning Representations",
        "G. Blanc, N. Gupta, G. Valiant and P. Valiant (2020), Implicit regularization for deep neural "
        "networks driven by an Ornstein–Uhlenbeck like process, Conference on Learning Theory",
        "A. Damian, T. Ma and J. D. Lee (2021), Label noise SGD provably prefers flat global minimizers, "
        "Advances in Neural Information Processing Systems",
        "G. S. Katzenberger (1991), Solutions of a stochastic differential equation forced onto a manifold "
        "by a large drift, Annals of Probability 19",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """The fast phase, all ways to inject noise on their time scales, and wrong limits that must fail."""
        yield from fast_phase(run)
        yield from drift_claims(run)
        yield from uncovered_claims(run)
        yield from label_claims(run)
        yield from minibatch_claims(run)
        yield from langevin_claims(run)
        yield from remainder_claims(run)

    def figure(self, run: Run) -> Any:
        """The zero-loss curve with ensemble and limit, clocks on both scales, flatness, a random limit."""
        return noise_figure(run.data)
