"""Perceptrons and their losses, against forward and backward passes written here in NumPy, and the images."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.datasets import load_digits

from bea.nets.data import digits
from bea.nets.measures import classifier
from bea.nets.models import MLP, accuracy, cross_entropy, squared_error, stack


def forward(params, x):
    """All activations of a tanh network, and its outputs."""
    layers = [x]
    for layer in params[:-1]:
        layers.append(np.tanh(layers[-1] @ layer["weights"] + layer["bias"]))
    return layers, layers[-1] @ params[-1]["weights"] + params[-1]["bias"]


def backward(params, x, y, objective):
    """The loss and its gradient, by the chain rule."""
    layers, outputs = forward(params, x)
    targets = np.eye(outputs.shape[1])[y]
    if objective == "cross-entropy":
        logits = outputs - logsumexp(outputs, axis=1, keepdims=True)
        value, delta = -(targets * logits).sum() / len(x), (np.exp(logits) - targets) / len(x)
    else:
        value, delta = ((outputs - targets) ** 2).sum() / 2 / len(x), (outputs - targets) / len(x)
    gradient = []
    for i in reversed(range(len(params))):
        gradient.insert(0, {"weights": layers[i].T @ delta, "bias": delta.sum(axis=0)})
        if i:
            delta = (delta @ params[i]["weights"].T) * (1 - layers[i] ** 2)
    return value, gradient


def in_numpy(params):
    return [{name: np.asarray(value, dtype=float) for name, value in layer.items()} for layer in params]


@pytest.mark.parametrize("objective", ["cross-entropy", "squared-error"])
def test_loss_and_gradient_are_those_of_the_chain_rule(objective):
    network = classifier((5, 7, 6, 4), objective)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 5)), rng.integers(4, size=20)
    with jax.enable_x64(True):
        params = network.model.init(3)
        value, gradient = jax.value_and_grad(network.loss)(params, jnp.asarray(x), jnp.asarray(y))
        expected, slopes = backward(in_numpy(params), x, y, objective)
        assert float(value) == pytest.approx(expected, rel=1e-13)
        for ours, theirs in zip(in_numpy(gradient), slopes, strict=True):
            for name in theirs:
                np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-11, atol=1e-15)


def test_the_other_loss_has_another_gradient():
    params = in_numpy(MLP((5, 7, 4)).init(3))
    x, y = np.ones((2, 5)), np.array([0, 3])
    ours, theirs = (backward(params, x, y, name)[1][0]["bias"] for name in ("cross-entropy", "squared-error"))
    assert not np.allclose(ours, theirs, rtol=0.1)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("relu", lambda z: np.maximum(z, 0)),
        ("sigmoid", lambda z: 1 / (1 + np.exp(-z))),
        ("softplus", lambda z: np.log1p(np.exp(z))),
        ("elu", lambda z: np.where(z > 0, z, np.expm1(z))),
        ("identity", lambda z: z),
    ],
)
def test_activations(name, formula):
    model = MLP((3, 4, 2), activation=name)
    params, x = model.init(1), np.random.default_rng(0).normal(size=(6, 3))
    first, last = in_numpy(params)
    expected = formula(x @ first["weights"] + first["bias"]) @ last["weights"] + last["bias"]
    np.testing.assert_allclose(model.apply(params, x), expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(("law", "variance"), [("lecun", 1 / 300), ("he", 2 / 300), ("glorot", 2 / 500)])
def test_initial_weights_have_the_stated_law(law, variance):
    layer = MLP((300, 200), law=law, gain=3.0).init(5)[0]
    weights = np.asarray(layer["weights"], dtype=float) / 3
    # 60 000 normal numbers: their variance is within 3 % at more than five standard deviations
    assert weights.var() == pytest.approx(variance, rel=0.03)
    assert abs(weights.mean()) < 5 * np.sqrt(variance / weights.size)
    assert not layer["bias"].any()


def test_a_seed_gives_the_same_bits_and_another_does_not():
    model = MLP((6, 5, 4))
    one, same, other = model.init(7), model.init(np.random.default_rng(7)), model.init(8)
    for a, b, c in zip(*map(jax.tree.leaves, (one, same, other)), strict=True):
        assert (a == b).all()
        assert a.ndim == 1 or (a != c).any()


def test_the_size_counts_all_parameters():
    model = MLP((64, 32, 16, 10))
    assert model.size == sum(leaf.size for leaf in jax.tree.leaves(model.init())) == 2778


def test_stacked_members_are_the_members():
    members = [MLP((3, 2)).init(seed) for seed in range(3)]
    stacked = stack(members)
    for i, member in enumerate(members):
        assert (stacked[0]["weights"][i] == member[0]["weights"]).all()


def test_accuracy_counts_the_largest_output():
    outputs = np.array([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [5.0, 1.0]])
    assert float(accuracy(outputs, np.array([1, 0, 0, 0]))) == 0.75


def test_losses_of_certain_and_of_even_outputs():
    even = np.zeros((4, 8))
    assert float(cross_entropy(even, np.arange(4))) == pytest.approx(np.log(8), rel=1e-6)
    assert float(squared_error(np.eye(4, dtype=np.float32), np.arange(4))) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (((64,),), ValueError, "inputs and outputs"),
        (((64, 0, 10),), ValueError, "positive integer, not 0"),
        (((64, 2.5),), ValueError, "positive integer, not 2.5"),
        (("64",), TypeError, "sequence of integers"),
        (((3, 2), "swish"), ValueError, "activation must be one of"),
        (((3, 2), "tanh", "normal"), ValueError, "law must be one of lecun, he, glorot"),
        (((3, 2), "tanh", "he", -1.0), ValueError, "gain must be a positive number"),
    ],
)
def test_bad_models_are_refused(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        MLP(*arguments)


@pytest.mark.parametrize("objective", [cross_entropy, squared_error])
@pytest.mark.parametrize(
    ("labels", "error", "sentence"),
    [
        (np.array([1, 2, 10]), ValueError, "from 0 to 9, but they go from 1 to 10"),
        (np.array([1, -1, 3]), ValueError, "from 0 to 9, but they go from -1 to 3"),
        (np.array([1, 2]), ValueError, r"shape \(2,\) do not fit to outputs of shape \(3, 10\)"),
        (np.eye(10)[:3], ValueError, r"shape \(3, 10\) do not fit"),
        (np.array([1.0, 2.0, 3.0]), TypeError, "labels must be integers, not float64"),
    ],
)
def test_bad_labels_are_refused(objective, labels, error, sentence):
    with pytest.raises(error, match=sentence):
        objective(np.zeros((3, 10)), labels)
    with pytest.raises(error, match=sentence):
        jax.jit(lambda outputs: objective(outputs, labels))(np.zeros((3, 10)))


def test_nothing_to_stack():
    with pytest.raises(ValueError, match="one member or more"):
        stack([])


class TestDigits:
    def test_every_image_is_used_once(self):
        pixels, labels = load_digits(return_X_y=True)
        split = digits(400, rng=3)
        assert split.x.shape == (400, 64)
        assert split.x_test.shape == (1397, 64)
        together = np.concatenate([split.x, split.x_test])
        restored = np.round(
            together * pixels[split_order(3)[:400]].std() + pixels[split_order(3)[:400]].mean()
        )
        order = np.lexsort(np.column_stack([restored, np.concatenate([split.y, split.y_test])]).T)
        expected = np.lexsort(np.column_stack([pixels, labels]).T)
        assert (restored[order] == pixels[expected]).all()

    def test_training_pixels_are_standardised(self):
        split = digits(300, rng=0)
        assert abs(split.x.mean()) < 1e-12
        assert split.x.std() == pytest.approx(1, rel=1e-12)
        assert abs(split.x_test.mean()) > 1e-6

    def test_the_seed_decides(self):
        one, same, other = digits(100, rng=2), digits(100, rng=2), digits(100, rng=4)
        assert (one.x == same.x).all()
        assert (one.y != other.y).any()

    @pytest.mark.parametrize("count", [0, 1797, 3000])
    def test_a_count_that_leaves_nothing_is_refused(self, count):
        with pytest.raises(ValueError, match="count must be"):
            digits(count)


def split_order(seed):
    return np.random.default_rng(seed).permutation(1797)
