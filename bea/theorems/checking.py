"""Running the check of a theorem by its name."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import numpy as np

from bea.sweeps import Progress as SweepProgress
from bea.theorems.claims import Progress, Run, Theorem, Verdict

__all__ = ["THEOREMS", "get_theorem", "verify"]

#: The theorems: a name, and the module and class in which it is written.
THEOREMS = {
    "adam": "bea.theorems.adam:AdamOptimizer",
    "bseries": "bea.theorems.bseries:ModifiedEquationsAsBSeries",
    "early-stopping": "bea.theorems.early_stopping:EarlyStopping",
    "edge-of-stability": "bea.theorems.edge_of_stability:EdgeOfStability",
    "games": "bea.theorems.games:DiscretizationDriftInGames",
    "igr": "bea.theorems.igr:ImplicitGradientRegularization",
    "igr-networks": "bea.theorems.igr_networks:RegularizationOfNetworks",
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
    store: str | os.PathLike[str] | None = None,
    sweep_progress: Callable[[SweepProgress], object] | None = None,
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
    store : path, optional
        A folder in which long experiments keep what they have computed: after a kill at any moment the same
        call goes on where it was. What other code or other versions have computed does not count. A folder
        for each theorem keeps them apart.
    sweep_progress : callable, optional
        Called with a `bea.sweeps.Progress` after every task of such an experiment.

    Returns
    -------
    Verdict
        ``.claims``, ``.passed``, ``.figure()``. A check that is interrupted from the keyboard keeps the
        claims it has measured, and says so in ``.interrupted``.

    Raises
    ------
    TypeError, ValueError
        If `name` names no theorem, or `store` is no path or that of a file.
    MissingExtraError
        If the check needs a package that is not installed. It is an `ImportError` and tells which extra to
        install.

    Examples
    --------
    >>> import bea
    >>> verdict = bea.verify("igr", quick=True)
    >>> verdict.passed
    True
    """
    theorem = get_theorem(name)
    missing = theorem.missing()
    if missing is not None:
        raise missing
    run = Run(quick, np.random.default_rng(rng), store=_read_folder(store), tell=sweep_progress)
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


def _read_folder(store: str | os.PathLike[str] | None) -> Path | None:
    """The folder of the results of sweeps, which need not be there yet."""
    if store is None:
        return None
    if not isinstance(store, str | os.PathLike):
        raise TypeError(f"store must be the path of a folder, not {store!r}")
    folder = Path(store).absolute()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"store must be a folder, but {folder} is a file")
    return folder
