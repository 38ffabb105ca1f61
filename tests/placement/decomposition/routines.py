"""The routines of blocks, which only kernels call, as tests can call them."""

from collections.abc import Callable
from typing import Any

from numba import njit

from cdn.placement.decomposition import (
    blocks,
    branch_search,
    groups,
    local_search,
    moves,
    part_room,
    parts,
    swapping,
    valuing,
)


def _callable(routine: Any) -> Callable:
    @njit
    def call(*arguments):
        return routine(*arguments)

    return call


load_block, unload_block = _callable(blocks.load_block), _callable(blocks.unload_block)
value_caches, flip = _callable(valuing.value_caches), _callable(valuing.flip)
decide_by_rules, descend = _callable(local_search.decide_by_rules), _callable(local_search.descend)
solve_block, resolve_block = _callable(local_search.solve_block), _callable(local_search.resolve_block)
swap, swap_and_kick = _callable(swapping.swap), _callable(swapping.swap_and_kick)
note_margins = _callable(swapping.note_margins)
prove_block = _callable(branch_search.prove_block)
group_entries, list_groups = _callable(groups.group_entries), _callable(part_room.list_groups)
settle_parts = _callable(parts.settle_parts)
choose_move, note_copy_margins = _callable(moves.choose_move), _callable(moves.note_margins)
expected_fill, expected_exchange = _callable(moves.expected_fill), _callable(moves.expected_exchange)
