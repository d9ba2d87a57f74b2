"""Running the check of a theorem by its name."""

from __future__ import annotations

import time
from difflib import get_close_matches
from importlib import import_module

import numpy as np

from bea.theorems.claims import Progress, Run, Theorem, Verdict

__all__ = ["THEOREMS", "get_theorem", "verify"]

#: The theorems: a name, and the module and class in which it is written.
THEOREMS = {
    "adam": "bea.theorems.adam:AdamOptimizer",
    "bseries": "bea.theorems.bseries:ModifiedEquationsAsBSeries",
    "games": "bea.theorems.games:DiscretizationDriftInGames",
    "igr": "bea.theorems.igr:ImplicitGradientRegularization",
    "momentum": "bea.theorems.momentum:Momentum",
    "multitask": "bea.theorems.multitask:TwoTasksInTurn",
    "noise": "bea.theorems.noise:NoiseAlongTheZeroLossSet",
    "principal-flow": "bea.theorems.principal_flow:PrincipalFlowOfDescent",
    "shuffling": "bea.theorems.shuffling:RegularizationByShuffling",
    "sparse": "bea.theorems.sparse:ImplicitSparseRegularization",
    "stochastic-modified-equation": "bea.theorems.stochastic_modified_equation:StochasticModifiedEquations",
}


def get_theorem(name: str) -> Theorem:
    """The theorem called `name`.

    Raises
    ------
    TypeError, ValueError
        If `name` is no text or names no theorem.
    """
    if not isinstance(name, str):
        raise TypeError(f"a theorem is asked for by its name, not by {type(name).__name__}")
    if name not in THEOREMS:
        near = get_close_matches(name, THEOREMS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(THEOREMS)}"
        raise ValueError(f"no theorem is called {name!r}: {hint}")
    module, _, attribute = THEOREMS[name].partition(":")
    return getattr(import_module(module), attribute)()


def verify(
    name: str,
    quick: bool = False,
    rng: int | np.random.Generator | None = 0,
    progress: Progress | None = None,
) -> Verdict:
    """Check a published theorem numerically: predicted beside measured.

    Parameters
    ----------
    name : str
        One of ``bea.theorems.THEOREMS``, such as ``"igr"``.
    quick : bool, default False
        A reduced check: fewer or shorter runs. The claims are the same in kind.
    rng : int, numpy.random.Generator or None, default 0
        Randomness, as in NumPy. The same seed gives the same claims.
    progress : callable, optional
        Called with every `Claim` as soon as it is measured.

    Returns
    -------
    Verdict
        ``.claims``, ``.passed``, ``.figure()``. A check that is interrupted from the keyboard keeps the
        claims it has measured, and says so in ``.interrupted``.

    Raises
    ------
    TypeError, ValueError
        If `name` names no theorem.

    Examples
    --------
    >>> import bea
    >>> verdict = bea.verify("igr", quick=True)
    >>> verdict.passed
    True
    """
    theorem = get_theorem(name)
    run = Run(quick=quick, rng=np.random.default_rng(rng))
    verdict = Verdict(theorem, [], run, rng if isinstance(rng, int) else None, 0.0)
    start = time.perf_counter()
    try:
        for claim in theorem.check(run):
            verdict.claims.append(claim)
            if progress is not None:
                progress(claim)
    except KeyboardInterrupt:
        verdict.interrupted = True
    verdict.seconds = time.perf_counter() - start
    return verdict
