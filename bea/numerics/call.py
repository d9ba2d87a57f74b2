"""Calls of compiled fields by address from inside Numba kernels."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["call"]


@intrinsic
def call(typing_context, address, x, p, out):
    """Call a C function void(double *x, double *p, double *out) at `address` on three arrays.

    For use inside functions compiled by Numba only. It costs about as much as a call in C, where passing
    compiled functions as arguments costs more and compiles the kernel anew for each of them.

    Parameters
    ----------
    address : int
        `CompiledField.rhs` or `CompiledField.jacobian`.
    x, p, out : arrays of float64, contiguous
        Where the function reads the point and the parameters, and where it writes its value.
    """
    for array in (x, p, out):
        if not (isinstance(array, types.Array) and array.dtype == types.float64 and array.layout == "C"):
            return None
    signature = types.void(types.int64, x, p, out)

    def generate(context, builder, signature, arguments):
        double_pointer = ir.DoubleType().as_pointer()
        function_type = ir.FunctionType(ir.VoidType(), [double_pointer] * 3)
        function = builder.inttoptr(arguments[0], function_type.as_pointer())
        arrays = zip(signature.args[1:], arguments[1:], strict=True)
        builder.call(function, [context.make_array(t)(context, builder, value).data for t, value in arrays])
        return context.get_dummy_value()

    return signature, generate
