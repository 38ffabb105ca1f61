"""Room in the gaps of a trace, where an interval asks for the least of many gaps and takes from all of them.

A segment tree over blocks of gaps: a node's ``least`` is the least room below it, without what its ancestors owe;
``owed`` is what was taken from all of a node (range minimum and range update in O(log N), nothing is ever pushed down).
A block is two cache lines: the tree's lowest levels, those that memory is slow for, are not there.
"""

import numpy as np

from cdn.compilation import kernel, step

BLOCK = 16
UNBOUNDED = np.int64(2**62)
NODE = np.dtype([("least", np.int64), ("owed", np.int64)])


@kernel
def rooms_of(room_bytes):
    """``room`` by gap, padded to whole blocks, and the tree's ``nodes``."""
    n_blocks = (len(room_bytes) + BLOCK - 1) // BLOCK
    leaves = 1
    while leaves < n_blocks:
        leaves *= 2
    room = np.full(n_blocks * BLOCK, UNBOUNDED)
    room[:len(room_bytes)] = room_bytes
    nodes = np.zeros(2 * leaves, dtype=NODE)
    for node in range(leaves, 2 * leaves):
        block = node - leaves
        nodes[node].least = least_of(room, block * BLOCK, block * BLOCK + BLOCK) if block < n_blocks else UNBOUNDED
    for node in range(leaves - 1, 0, -1):
        nodes[node].least = min(nodes[2 * node].least, nodes[2 * node + 1].least)
    return room, nodes


@step
def least_of(room, low, high):
    least = room[low]
    for gap in range(low + 1, high):
        least = min(least, room[gap])
    return least


@step
def room_between(room, nodes, start, end):
    """Least room in the gaps ``start`` to before ``end``: bottom up, the least of either side less what the nodes above
    it owe."""
    leaves = len(nodes) // 2
    low, high = start // BLOCK, (end - 1) // BLOCK
    left = least_of(room, start, min(end, (low + 1) * BLOCK)) - nodes[low + leaves].owed
    right = least_of(room, max(start, high * BLOCK), end) - nodes[high + leaves].owed
    low, high = low + leaves, high + leaves
    while low // 2 != high // 2:
        left = min(left, nodes[low | 1].least if low & 1 == 0 else UNBOUNDED)
        right = min(right, nodes[high & ~1].least if high & 1 else UNBOUNDED)
        low, high = low // 2, high // 2
        left, right = left - nodes[low].owed, right - nodes[high].owed
    least = min(left, right)
    while low > 1:
        low //= 2
        least -= nodes[low].owed
    return least


@step
def pay(room, nodes, start, end, size):
    """Takes ``size`` from the gaps ``start`` to before ``end``."""
    leaves = len(nodes) // 2
    low, high = start // BLOCK, (end - 1) // BLOCK
    pay_in_block(room, nodes, low, start, min(end, (low + 1) * BLOCK), size)
    if low != high:
        pay_in_block(room, nodes, high, high * BLOCK, end, size)
    low, high = low + leaves, high + leaves
    while low // 2 != high // 2:
        owe(nodes, low | 1, size * (1 - (low & 1)))
        owe(nodes, high & ~1, size * (high & 1))
        low, high = low // 2, high // 2
        renew(nodes, low)
        renew(nodes, high)
    while low > 1 and renew(nodes, low // 2):
        low //= 2


@step
def pay_in_block(room, nodes, block, low, high, size):
    for gap in range(low, high):
        room[gap] -= size
    leaf = block + len(nodes) // 2
    nodes[leaf].least = least_of(room, block * BLOCK, (block + 1) * BLOCK) - nodes[leaf].owed


@step
def owe(nodes, node, size):
    nodes[node].least -= size
    nodes[node].owed += size


@step
def renew(nodes, node):
    """From its children; whether it changed: if not, nor does anything above."""
    least = min(nodes[2 * node].least, nodes[2 * node + 1].least) - nodes[node].owed
    changed = least != nodes[node].least
    nodes[node].least = least
    return changed
