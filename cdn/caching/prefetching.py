"""Asking the processor for a row before it is needed: the way around memory latency, which limits every policy.

What the next requests want is known, so a loop asks for the row of the request some places ahead. A prefetch never
faults: an index may be past the end.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

FOR_WRITING, IN_ALL_CACHES, DATA = 1, 3, 1


def _prefetch(typing_context, array, index):
    """Begins to load ``array[index]``; ``index`` counts from 0."""

    def generate(context, builder, signature, arguments):
        of_array = signature.args[0]
        array_of = context.make_array(of_array)(context, builder, arguments[0])
        item = cgutils.get_item_pointer(context, builder, of_array, array_of, [arguments[1]])
        pointer, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag]), "llvm.prefetch.p0"
        )
        builder.call(function, [builder.bitcast(item, pointer), flag(FOR_WRITING), flag(IN_ALL_CACHES), flag(DATA)])
        return context.get_dummy_value()

    return types.void(array, index), generate


prefetch: Any = intrinsic(_prefetch)
