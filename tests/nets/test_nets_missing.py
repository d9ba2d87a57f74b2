"""Where the extra is not installed: everything else works, and what needs it says so in one sentence."""

import subprocess
import sys

import pytest

import bea.nets

BLOCKED = """
import importlib.abc, sys
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
import bea
"""


def run(blocked, code):
    """What a Python without some packages prints."""
    source = BLOCKED.format(blocked=set(blocked)) + code
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_rest_works_without_jax():
    code = """
loss = bea.Loss("x**2 / 2", variables="x")
print(bea.modified_equation(loss, bea.GradientDescent(), order=1).terms[1])
print(bea.nets.MissingExtraError.__mro__[1].__name__, "modified_field" in dir(bea.nets))
"""
    assert run(["jax", "jaxlib", "optax"], code) == "Matrix([[-x/2]])\nImportError True\n"


@pytest.mark.parametrize("name", sorted(set(bea.nets.__all__) - {"MissingExtraError"}))
def test_every_name_is_listed_and_found(name):
    assert getattr(bea.nets, name).__doc__


def test_every_name_says_which_extra_it_needs():
    code = """
for name in sorted(set(bea.nets.__all__) - {"Mean", "MissingExtraError", "Split", "digits"}):
    try:
        getattr(bea.nets, name)
    except ImportError as error:
        reason = 'needs JAX, which is not installed: pip install "bea[nets]"'
        assert str(error) == f"bea.nets.{name} {reason}", error
        assert isinstance(error, bea.nets.MissingExtraError)
    else:
        raise SystemExit(name)
"""
    run(["jax", "jaxlib", "optax", "sklearn"], code)


def test_the_images_need_no_jax_but_scikit_learn():
    code = """
print(bea.nets.Split.__name__)
try:
    bea.nets.digits()
except bea.nets.MissingExtraError as error:
    print(error)
"""
    assert run(["jax", "jaxlib", "optax", "sklearn"], code).splitlines() == [
        "Split",
        'bea.nets.digits needs scikit-learn, which is not installed: pip install "bea[nets]"',
    ]


def test_only_what_needs_optax_needs_it():
    code = """
print(bea.nets.modified_field.__name__)
for name in ("observed_field", "add_gradient_regularization"):
    try:
        getattr(bea.nets, name)
    except ImportError as error:
        print(error)
"""
    assert run(["optax"], code).splitlines() == [
        "modified_field",
        'bea.nets.observed_field needs Optax, which is not installed: pip install "bea[nets]"',
        'bea.nets.add_gradient_regularization needs Optax, which is not installed: pip install "bea[nets]"',
    ]


def test_other_missing_modules_are_not_blamed_on_the_extra():
    code = """
try:
    bea.nets.sharpness
except ModuleNotFoundError as error:
    print(error)
"""
    assert run(["scipy"], code) == "No module named 'scipy'\n"


def test_unknown_names():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(bea.nets, "no" + "thing")
