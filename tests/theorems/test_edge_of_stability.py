"""The edge of stability: the theorem's claims, and the network once more in NumPy."""

import numpy as np
import pytest

from bea.theorems.claims import Run
from bea.theorems.edge_of_stability import EdgeOfStability
from bea.theorems.edge_runs import initial_params


@pytest.fixture(scope="module")
def check():
    theorem, run = EdgeOfStability(), Run(quick=True, rng=np.random.default_rng(0))
    return theorem, run, list(theorem.check(run))


def test_every_claim_holds(check):
    assert not [claim for claim in check[2] if not claim.passed]
    assert sum(claim.name.startswith("control:") for claim in check[2]) >= 4


def test_the_figure_has_three_panels(check):
    assert len(check[0].figure(check[1]).axes) == 3


def test_double_precision_is_not_left_switched_on(check):
    import jax.numpy as jnp

    assert jnp.ones(1).dtype == jnp.float32


@pytest.mark.slow
def test_another_seed_holds():
    theorem, run = EdgeOfStability(), Run(quick=True, rng=np.random.default_rng(1))
    assert not [claim for claim in theorem.check(run) if not claim.passed]


# -- the network in NumPy, with its gradient by hand -----------------------------------------------------

X = np.linspace(-1, 1, 12)[:, None]
Y = np.cos(3 * np.arccos(X))


def gradient(parts):
    (A, a), (B, b), (C, c) = parts
    first = np.tanh(X @ A + a)
    second = np.tanh(first @ B + b)
    residual = (second @ C + c - Y) / len(X)
    back = residual @ C.T * (1 - second**2)
    back_first = back @ B.T * (1 - first**2)
    return [
        (X.T @ back_first, back_first.sum(0)),
        (first.T @ back, back.sum(0)),
        (second.T @ residual, residual.sum(0)),
    ]


def flat(parts):
    return np.concatenate([np.ravel(leaf) for pair in parts for leaf in pair])


def parts_of(x, like):
    leaves, at = [], 0
    for pair in like:
        sizes = [leaf.size for leaf in pair]
        leaves.append((x[at : at + sizes[0]].reshape(pair[0].shape), x[at + sizes[0] : at + sum(sizes)]))
        at += sum(sizes)
    return leaves


def sharpness(x, like, eps=1e-5):
    rows = [
        (flat(gradient(parts_of(x + eps * e, like))) - flat(gradient(parts_of(x - eps * e, like))))
        / (2 * eps)
        for e in np.eye(len(x))
    ]
    return np.linalg.eigvalsh((np.array(rows) + np.array(rows).T) / 2)[-1]


def test_the_plateau_of_descent_without_jax():
    like = [tuple(np.asarray(leaf, dtype=float) for leaf in pair) for pair in initial_params(0)]
    h, late, before = 0.1, [], 0.0
    x = flat(like)
    for n in range(1600):
        x = x - h * flat(gradient(parts_of(x, like)))
        if n == 400:
            before = sharpness(x, like) * h / 2
        if n >= 1000 and n % 7 == 0:  # an odd stride, since iterates alternate
            late.append(sharpness(x, like) * h / 2)
    assert before < 0.6
    assert np.mean(late) == pytest.approx(1, abs=0.03)
    assert np.std(late) < 0.2
