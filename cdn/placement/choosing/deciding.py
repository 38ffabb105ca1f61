"""What cannot be in a better choice: sets that lose too much at the prices, and all that follows.

A set loses against its asset's best one, and makes each limit's packing one with its pairs and without the asset's
others; limits are packed apart, so these losses add up (Balas and Zemel 1980, for one knapsack).
"""

from cdn.compilation import routine, separate
from cdn.placement.choosing.knapsacks import pack
from cdn.placement.choosing.tables import ALIVE


@routine
def _weigh_items(tables, ws, state):
    """What each packing loses where an open item is the other way round."""
    spare = ws.is_packed.copy()
    for limit in range(len(tables.limit_bytes)):
        for i in range(tables.of_limit[limit], tables.of_limit[limit + 1]):
            ws.loss[i] = 0.0
            if state[tables.item_pair[i]] == 0:
                ws.loss[i] = ws.packed[limit] - pack(tables, ws, state, limit, spare, i, not ws.is_packed[i])


@separate
def rule_out(tables, ws, decisions, most_lost, depth):
    """Rules out sets with which the bound of the last look would fall by ``most_lost`` or more. Returns how many."""
    _weigh_items(tables, ws, decisions.state)
    ws.base_loss[:] = 0.0
    for i in range(len(ws.price)):
        if ws.is_packed[i]:
            ws.base_loss[tables.pair_asset[tables.item_pair[i]]] += ws.loss[i]
    n_ruled_out = 0
    for m in range(len(tables.asset)):
        if decisions.ruled_out[m] != ALIVE:
            continue
        a = tables.asset[m]
        loss = ws.worth[ws.best_set[a]] - ws.worth[m] + ws.base_loss[a]
        for k in range(tables.of_set[m], tables.of_set[m + 1]):
            p = tables.pair[k]
            for j in range(tables.of_pair[p], tables.of_pair[p + 1]):
                i = tables.pair_item[j]
                loss += -ws.loss[i] if ws.is_packed[i] else ws.loss[i]
        if loss >= most_lost:
            decisions.ruled_out[m] = depth
            n_ruled_out += 1
    return n_ruled_out


@routine
def _rule_out_by_pairs(tables, ws, decisions, depth):
    """Rules out sets without a pair that is in or with one that is out; counts sets. False where an asset has none."""
    ws.n_in[:] = 0
    ws.n_sets[:] = 0
    ws.n_with[:] = 0
    for p in range(len(tables.pair_asset)):
        if decisions.state[p] == 1:
            ws.n_in[tables.pair_asset[p]] += 1
    for m in range(len(tables.asset)):
        if decisions.ruled_out[m] != ALIVE:
            continue
        n_in, n_out = 0, 0
        for k in range(tables.of_set[m], tables.of_set[m + 1]):
            n_in += decisions.state[tables.pair[k]] == 1
            n_out += decisions.state[tables.pair[k]] == -1
        if n_out > 0 or n_in < ws.n_in[tables.asset[m]]:
            decisions.ruled_out[m] = depth
            continue
        ws.n_sets[tables.asset[m]] += 1
        for k in range(tables.of_set[m], tables.of_set[m + 1]):
            ws.n_with[tables.pair[k]] += 1
    return ws.n_sets.min() > 0 if len(ws.n_sets) > 0 else True


@routine
def decide(decisions, p, state, depth):
    decisions.state[p] = state
    decisions.since[p] = depth


@separate
def conclude(tables, ws, decisions, depth):
    """Decides pairs that all sets left of an asset have, or none, and those that no longer fit, until nothing follows.
    Returns how many pairs, -1 where no choice is left."""
    n_decided, more = 0, True
    while more:
        if not _rule_out_by_pairs(tables, ws, decisions, depth):
            return -1
        before = n_decided
        for p in range(len(tables.pair_asset)):
            if decisions.state[p] == 0 and (ws.n_with[p] == 0 or ws.n_with[p] == ws.n_sets[tables.pair_asset[p]]):
                decide(decisions, p, 1 if ws.n_with[p] > 0 else -1, depth)
                n_decided += 1
        for limit in range(len(tables.limit_bytes)):
            room = tables.limit_bytes[limit]
            for i in range(tables.of_limit[limit], tables.of_limit[limit + 1]):
                if decisions.state[tables.item_pair[i]] == 1:
                    room -= tables.item_bytes[i]
            if room < 0:
                return -1
            for i in range(tables.of_limit[limit], tables.of_limit[limit + 1]):
                if decisions.state[tables.item_pair[i]] == 0 and tables.item_bytes[i] > room:
                    decide(decisions, tables.item_pair[i], -1, depth)
                    n_decided += 1
        more = n_decided > before
    return n_decided


@separate
def take_back(decisions, depth):
    """Opens again what was decided at a depth or deeper."""
    for p in range(len(decisions.state)):
        if decisions.state[p] != 0 and decisions.since[p] >= depth:
            decisions.state[p] = 0
    for m in range(len(decisions.ruled_out)):
        if decisions.ruled_out[m] != ALIVE and decisions.ruled_out[m] >= depth:
            decisions.ruled_out[m] = ALIVE
