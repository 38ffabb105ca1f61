"""Units: conversions happen only where files are read and where results are printed.

Inside, sizes are bytes, rates bit/s, costs are per byte. GB = 1e9 bytes (SI), as storage is sold.
"""

BYTES_PER_GB = 1e9
BITS_PER_BYTE = 8
BPS_PER_GBPS = 1e9
SECONDS_PER_HOUR = 3600
HOURS_PER_DAY = 24
SECONDS_PER_DAY = SECONDS_PER_HOUR * HOURS_PER_DAY
MICROSECONDS_PER_SECOND = 1_000_000

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def format_si(value: float, unit: str) -> str:
    """A number with an SI prefix.

    >>> format_si(13_302_764_723, "B")
    '13.3 GB'
    >>> format_si(0, "B")
    '0 B'
    >>> format_si(12, "bit/s")
    '12 bit/s'
    """
    scaled = float(value)
    prefix = ""
    for prefix in _PREFIXES:
        if abs(scaled) < 999.5 or prefix == _PREFIXES[-1]:
            break
        scaled /= 1000
    return f"{scaled:.3g} {prefix}{unit}"


def format_bytes(value: float) -> str:
    """Bytes for people: ``format_bytes(2.5e9) == '2.5 GB'``."""
    return format_si(value, "B")


def format_rate(value_bps: float) -> str:
    """A bit rate for people: ``format_rate(4e9) == '4 Gbit/s'``."""
    return format_si(value_bps, "bit/s")


def format_share(value: float) -> str:
    """A share as per cent: ``format_share(0.3456) == '34.56 %'``."""
    return f"{100 * value:.2f} %"
