"""A real set of images that comes with scikit-learn: handwritten digits, split by a seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bea.extras import missing_extra
from bea.numerics.arguments import read_rng
from bea.systems.catalogue.data import read_count

__all__ = ["CLASSES", "PIXELS", "Split", "digits"]

#: What an image is made of, and how many digits there are.
PIXELS, CLASSES = 64, 10
#: How many images there are in all.
IMAGES = 1797


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels, for training and for a test.

    Attributes
    ----------
    x, x_test : arrays of shape (n, 64) and (1797 − n, 64)
        The pixels, standardised.
    y, y_test : integer arrays of shape (n,) and (1797 − n,)
        The digits.
    seed : int or None
        What the split was drawn from, where that was an integer.
    """

    x: np.ndarray = field(repr=False)
    y: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    seed: int | None = None

    def __repr__(self) -> str:
        return f"Split({len(self.x)} images to train, {len(self.x_test)} to test, seed={self.seed})"


def digits(count: int = 500, rng: int | np.random.Generator | None = 0) -> Split:
    """The 1797 handwritten digits of 8 × 8 pixels that come with scikit-learn, split at random.

    Parameters
    ----------
    count : int, default 500
        How many images are for training; the others are for the test.
    rng : int, numpy.random.Generator or None, default 0
        Randomness, as in NumPy.

    Returns
    -------
    Split
        Standardised with one mean and one standard deviation, those of all pixels of the training images.

    Raises
    ------
    ValueError, TypeError
        If the count is no integer, or leaves no image for the training or the test.
    ImportError
        If scikit-learn is not installed.

    References
    ----------
    .. [1] E. Alpaydin and C. Kaynak (1998), Optical recognition of handwritten digits, UCI Machine Learning
           Repository.

    Examples
    --------
    >>> from bea.nets.data import digits
    >>> digits(400, rng=1)
    Split(400 images to train, 1397 to test, seed=1)
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise missing_extra("bea.nets.digits", error) from error
    if read_count(count, "count") >= IMAGES:
        raise ValueError(f"count must be below {IMAGES}, which is how many images there are, not {count}")
    pixels, labels = load_digits(return_X_y=True)
    order = read_rng(rng).permutation(IMAGES)
    train, test = order[:count], order[count:]
    mean, deviation = pixels[train].mean(), pixels[train].std()
    x, y = (pixels - mean) / deviation, labels.astype(np.int32)
    seed = int(rng) if isinstance(rng, int | np.integer) else None
    return Split(x[train], y[train], x[test], y[test], seed)
