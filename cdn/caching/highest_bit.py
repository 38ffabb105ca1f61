"""The highest set bit of a word: one instruction, which numba does not offer."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic


def _highest_bit(typing_context, word):
    """The number of a word's highest set bit, 0 to 63; the word is not 0."""

    def generate(context, builder, signature, arguments):
        zeros = builder.ctlz(arguments[0], ir.IntType(1)(1))
        return builder.sub(ir.IntType(64)(63), zeros)

    return types.int64(types.int64), generate


highest_bit: Any = intrinsic(_highest_bit)
