"""Records of arrays that kernels get by address: what a chunk of work reads and writes, handed on as one pointer.

numba takes a named tuple apart: each array of it reaches each function as seven arguments, and is put together again
there. With twenty arrays that is most of the code of a small function and most of the time it takes to compile, and a
call moves all of it. Of a record only the address is handed on, and a function loads what it uses.

The address leads to 64-bit words, field after field: of an array its number of elements, its address, its lengths and
its strides; else the value.
"""

import hashlib
from typing import Any

import numpy as np
from llvmlite import ir
from numba import typeof
from numba.core import types
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.extending import NativeValue, infer_getattr, lower_getattr_generic, register_model, unbox

WORD = ir.IntType(64)
_TYPES: dict[tuple, "RecordType"] = {}


class ArrayRecord:
    """Base of frozen dataclasses whose fields are arrays (or integers). Kernels read the fields and write into the
    arrays; they must not return them, since nothing but the record keeps them alive."""

    _numba_type_: "RecordType"
    _words: np.ndarray
    _address: int

    def __post_init__(self) -> None:
        values = tuple(vars(self).values())
        words = np.array([word for value in values for word in _words_of(value)], dtype=np.int64)
        object.__setattr__(self, "_numba_type_", _type_of(self, values))
        object.__setattr__(self, "_words", words)
        object.__setattr__(self, "_address", words.ctypes.data)


def _words_of(value: Any) -> tuple[int, ...]:
    if isinstance(value, np.ndarray):
        return value.size, value.ctypes.data, *value.shape, *value.strides
    return (value,)


def _type_of(record: ArrayRecord, values: tuple) -> "RecordType":
    """numba takes long to tell an array's type, and small problems are looked at in thousands of records."""
    alike = (type(record), *((v.dtype, v.ndim, v.flags.num) if isinstance(v, np.ndarray) else type(v) for v in values))
    if alike not in _TYPES:
        _TYPES[alike] = RecordType(type(record).__name__, tuple(zip(vars(record), map(typeof, values), strict=True)))
    return _TYPES[alike]


class RecordType(types.Type):
    """Type of a record in kernels: a name and ((field, type), ..)."""

    def __init__(self, record: str, members: tuple[tuple[str, types.Type], ...]) -> None:
        self.record, self.members = record, members
        super().__init__(f"{record}({', '.join(f'{name}: {of}' for name, of in members)})")

    @property
    def key(self) -> tuple:
        return self.record, self.members

    @property
    def mangling_args(self) -> tuple:
        """What names of machine code say of it: numba's choice would be a thousand letters long."""
        return f"{self.record}_{hashlib.sha256(self.name.encode()).hexdigest()[:16]}", ()

    def first_word(self, field: str) -> int:
        """Where a field's words begin."""
        names = [name for name, _ in self.members]
        before = self.members[: names.index(field)]
        return sum(2 + 2 * of.ndim if isinstance(of, types.Array) else 1 for _, of in before)


register_model(RecordType)(models.OpaqueModel)


@unbox(RecordType)
def _unbox_record(record: RecordType, boxed: Any, c: Any) -> NativeValue:
    address = c.pyapi.object_getattr_string(boxed, "_address")
    pointer = c.builder.inttoptr(c.unbox(types.int64, address).value, c.context.get_value_type(record))
    c.pyapi.decref(address)
    return NativeValue(pointer)


@infer_getattr
class _Fields(AttributeTemplate):
    key = RecordType

    def generic_resolve(self, record: RecordType, field: str) -> Any:  # type: ignore[override]
        return dict(record.members).get(field)


@lower_getattr_generic(RecordType)
def _load_field(context: Any, builder: Any, record: RecordType, pointer: Any, field: str) -> Any:
    of, first = dict(record.members)[field], record.first_word(field)
    words = builder.bitcast(pointer, WORD.as_pointer())
    load = [_load(builder, words, first + k) for k in range(2 + 2 * of.ndim if isinstance(of, types.Array) else 1)]
    if not isinstance(of, types.Array):
        return load[0]
    array = context.get_value_type(of)
    owner, parent, _, _, data = array.elements[:5]
    item_bytes = WORD(context.get_abi_sizeof(context.get_data_type(of.dtype)))
    lengths, strides = (_pack(builder, load[2 + k * of.ndim :][: of.ndim]) for k in range(2))
    parts = (owner(None), parent(None), load[0], item_bytes, builder.inttoptr(load[1], data), lengths, strides)
    return _insert(builder, ir.Constant(array, ir.Undefined), parts)


def _load(builder: Any, words: Any, k: int) -> Any:
    word = builder.load(builder.gep(words, [WORD(k)]))
    # What kernels write into never is the record itself: the optimiser may keep it in a register.
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def _pack(builder: Any, values: list) -> Any:
    return _insert(builder, ir.Constant(ir.ArrayType(WORD, len(values)), ir.Undefined), values)


def _insert(builder: Any, into: Any, parts: Any) -> Any:
    for k, part in enumerate(parts):
        into = builder.insert_value(into, part, k)
    return into
