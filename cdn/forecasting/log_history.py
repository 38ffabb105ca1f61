"""History straight from log files, one file in memory at a time."""

from collections.abc import Sequence
from pathlib import Path

from cdn.errors import DataError
from cdn.forecasting.history import HISTORY_DAYS, History, history_of_log, joined
from cdn.logs.quarantine import DEFAULT_BAD_SHARE, Quarantine, merged
from cdn.logs.request_logs import read_request_log
from cdn.logs.store import log_files
from cdn.logs.sweeping import find_sweeping_clients
from cdn.model.index import Index

_JOINED_AT_ONCE = 16


def read_history(paths: Sequence[Path | str], region_index: Index, asset_index: Index, until_day: int, *,
                 n_days: int = HISTORY_DAYS, format_name: str = "request_log", bad_share: float = DEFAULT_BAD_SHARE,
                 drop_duplicates: bool = False, sweeping_assets: int | None = None) -> tuple[History, Quarantine]:
    """The ``n_days`` days before day number ``until_day``, and the rows of their files that were not used.

    Files of a log store whose name says another day are not opened. Duplicates are looked for within each file.
    ``sweeping_assets``: clients that ask for more distinct assets in a day are left out (``cdn.logs.sweeping``).
    Raises DataError as ``read_request_log`` does, with the share of bad rows over all files, and where no file is left.
    """
    files = [file for path in paths for file in log_files(path, until_day - n_days, until_day)]
    if not files:
        raise DataError.of_file(", ".join(map(str, paths)), f"requests in the {n_days} days before the forecast day")
    without = None
    if sweeping_assets is not None:
        without = find_sweeping_clients(files, sweeping_assets, format_name=format_name)
    histories: list[History] = []
    quarantines = []
    for file in files:
        log, quarantine = read_request_log([file], region_index, asset_index, format_name=format_name, bad_share=1.0,
                                           drop_duplicates=drop_duplicates, without=without)
        histories.append(history_of_log(log, until_day, n_days))
        quarantines.append(quarantine)
        if len(histories) == _JOINED_AT_ONCE:
            histories = [joined(histories)]
    quarantine = merged(quarantines)
    quarantine.check_share(bad_share, files)
    return joined(histories), quarantine
