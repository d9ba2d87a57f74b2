"""Compiled fields: made for the first time, and found again by another process.

Every measurement takes place in a process of its own, whose imports do not count.
"""

import os
import shutil
import subprocess
import sys
import tempfile

PREPARATION = """
import os
os.environ["BEA_CACHE_DIR"] = {folder!r}
import bea
from bea.numerics.codegen import compile_field
loss = bea.Loss("(y - a*b*x)**2 / 2", variables="a b")
field = bea.modified_equation(loss, bea.GradientDescent(), {order}).field()
compile_field(bea.VectorField(["0.25*z"], variables="z")).rhs
"""
STATEMENT = "compile_field(field).rhs"


class Compilation:
    """The modified field of the two-parameter loss."""

    params = (0, 2, 4)
    param_names = ("order",)
    timeout = 300

    def setup(self, order):
        self.folder = tempfile.mkdtemp(prefix="bea-asv-")
        code = PREPARATION.format(folder=self.folder, order=order) + STATEMENT
        subprocess.run([sys.executable, "-c", code], check=True)

    def teardown(self, order):
        shutil.rmtree(self.folder)

    def timeraw_new(self, order):
        folder = os.path.join(self.folder, "new")
        return f"shutil.rmtree({folder!r}, ignore_errors=True)\n{STATEMENT}", (
            "import shutil" + PREPARATION.format(folder=folder, order=order)
        )

    def timeraw_known(self, order):
        return STATEMENT, PREPARATION.format(folder=self.folder, order=order)
