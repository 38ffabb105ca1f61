"""A heap of next uses, the latest on top: a state's third scalar is how many it holds.

Two words of ``cells`` per cell, the next use and the object's id, from cell 1 on: the children of cell ``at`` are cells
2 at and 2 at + 1. An object's ``slot`` is IN_HEAP less its cell, so below -2.
"""

from cdn.compilation import step

N_CELLS = 2
TOP = 1
IN_HEAP = -2
VACANT = -1


@step
def cell_of(slot):
    return IN_HEAP - slot


@step
def next_use_at(cells, at):
    return cells[2 * at]


@step
def id_at(cells, at):
    return cells[2 * at + 1]


@step
def put(objects, cells, at, next_use, i):
    cells[2 * at] = next_use
    cells[2 * at + 1] = i
    objects[i].slot = IN_HEAP - at


@step
def rise(objects, cells, at, next_use, i):
    while at > TOP and next_use_at(cells, at >> 1) < next_use:
        put(objects, cells, at, next_use_at(cells, at >> 1), id_at(cells, at >> 1))
        at >>= 1
    put(objects, cells, at, next_use, i)


@step
def fall(objects, cells, n, at, next_use, i):
    """Which child is a coin's toss, so it is added, not branched on; the cell behind the last is earlier than all."""
    while 2 * at <= n:
        child = 2 * at
        child += next_use_at(cells, child) < next_use_at(cells, child + 1)
        if next_use >= next_use_at(cells, child):
            break
        put(objects, cells, at, next_use_at(cells, child), id_at(cells, child))
        at = child
    put(objects, cells, at, next_use, i)


@step
def push(objects, cells, ints, next_use, i):
    ints[N_CELLS] += 1
    rise(objects, cells, ints[N_CELLS], next_use, i)


@step
def take(objects, cells, ints, at):
    """Takes the object of a cell out; the last cell's takes its place."""
    n = ints[N_CELLS]
    ints[N_CELLS] = n - 1
    next_use, last = next_use_at(cells, n), id_at(cells, n)
    cells[2 * n] = VACANT
    if at == n:
        return
    if next_use_at(cells, at) < next_use:
        rise(objects, cells, at, next_use, last)
    else:
        fall(objects, cells, n - 1, at, next_use, last)
