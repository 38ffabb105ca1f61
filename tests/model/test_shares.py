"""Shares of prices: kept as given where they fit, refused where not."""

import numpy as np
import pytest

from cdn.model.shares import Shares


def shares_of(
    entry_group=(0, 1, 0), asset=(0, 0, 2), site=(1, 1, 0), group=(0, 1, 1), share=(0.25, 0.75, 1.0)
) -> Shares:
    return Shares(np.array(entry_group), *(np.array(column) for column in (asset, site, group, share)))


def test_shares_are_kept_and_frozen():
    shares = shares_of()
    assert len(shares) == 3 and shares.n_groups == 2 and shares.share.tolist() == [0.25, 0.75, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        shares.share[0] = 1.0


def test_no_demand_has_no_groups():
    assert shares_of((), (), (), (), ()).n_groups == 0


@pytest.mark.parametrize(
    "columns, expected",
    [
        ({"share": (0.25, 0.75, 1.5)}, "between 0 and 1"),
        ({"share": (0.25, np.nan, 1.0)}, "between 0 and 1"),
        ({"share": (-0.1, 0.75, 1.0)}, "between 0 and 1"),
        ({"group": (0, 2, 1)}, "no demand is in: there are 2"),
        ({"group": (0, 0, 1)}, "ascend"),
        ({"asset": (2, 0, 0)}, "ascend"),
        ({"site": (1, 0, 0)}, "ascend"),
        ({"site": (1, -1, 0)}, "counted from 0"),
        ({"entry_group": (0, -1, 1)}, "counted from 0"),
        ({"site": (1, 1)}, "as many values"),
    ],
)
def test_others_are_refused(columns, expected):
    with pytest.raises(ValueError, match=expected):
        shares_of(**columns)
