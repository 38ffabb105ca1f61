"""Parameters of eviction and admission policies: what there is to choose, and choices written as text.

A choice is a name of a table and, joined by colons, parameters that are not to have their default:
``s3fifo:small_share=0.2:threshold=1``. That is how policies are named everywhere, from Python and on the command line.

What there is to choose stands in the signature of a policy's ``start``, in one place with its default:

    def start(capacity_bytes, n_segments: Annotated[int, Range(1, 4, "segments of equal size")] = 4): ...
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Generic, Protocol, TypeVar, get_args, get_origin

from cdn.errors import ParameterError, UnknownNameError

WHOLE_MAX = 2**62


@dataclass(frozen=True)
class Range:
    """Values from ``low`` to ``high``, both of them but for those in ``without``."""

    low: float
    high: float
    meaning: str
    without: tuple[float, ...] = ()

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high and value not in self.without

    def __str__(self) -> str:
        low = f"{'above' if self.low in self.without else 'from'} {_number(self.low)}"
        high = f"{'below' if self.high in self.without else 'at most'} {_number(self.high)}"
        return low if self.high in (WHOLE_MAX, math.inf) else f"{low}, {high}"


@dataclass(frozen=True)
class Parameter:
    """One thing to choose: ``kind`` is int or float."""

    name: str
    kind: type
    default: float
    range: Range

    @property
    def expected(self) -> str:
        return f"{'a whole number' if self.kind is int else 'a number'} {self.range}"

    def value_of(self, owner: str, text: str) -> float:
        """Raises ParameterError for what is no number of the range."""
        try:
            value = float(text)
            value = int(text) if self.kind is int and text.strip().lstrip("+-").isdigit() else value
        except ValueError:
            value = math.nan
        is_whole = self.kind is not int or (math.isfinite(value) and value == int(value))
        if not is_whole or value not in self.range:
            raise ParameterError(owner, self.name, text, f"{self.expected}; it is {self.range.meaning}")
        return self.kind(value)


class Startable(Protocol):
    """What has a ``start`` with parameters: an eviction or admission policy."""

    @property
    def name(self) -> str: ...

    @property
    def start(self) -> Callable: ...


Kind = TypeVar("Kind", bound=Startable)


@dataclass(frozen=True, eq=False)
class Choice(Generic[Kind]):
    """``of``: the table's entry; ``given``: the parameters that were said; ``parameters``: all of them."""

    of: Kind
    given: Mapping[str, float]
    parameters: Mapping[str, float]

    def __str__(self) -> str:
        return ":".join([self.of.name, *(f"{name}={_number(value)}" for name, value in self.given.items())])


def parameters_of(of: Startable) -> dict[str, Parameter]:
    """By name, in the order of ``start``'s signature; a keyword without a range takes any number."""
    return {name: _parameter(name, found) for name, found in inspect.signature(of.start).parameters.items()
            if found.default is not inspect.Parameter.empty}


def choose(kind: str, text: str, table: Mapping[str, Kind]) -> Choice[Kind]:
    """What ``text`` names. Raises UnknownNameError for a name not in ``table`` or a parameter that it does not have,
    ParameterError for a value that is out of range, or no number, or said twice."""
    name, *pairs = (part.strip() for part in text.split(":"))
    if name not in table:
        raise UnknownNameError(kind, name, list(table))
    known, given = parameters_of(table[name]), {}
    for pair in pairs:
        key, _, value = (part.strip() for part in pair.partition("="))
        if key not in known:
            raise UnknownNameError(f"parameter of {name}", key, list(known))
        if key in given:
            raise ParameterError(name, key, value, "a parameter to be given once")
        given[key] = known[key].value_of(name, value)
    defaults = {key: parameter.default for key, parameter in known.items()}
    return Choice(table[name], given, {**defaults, **given})


def _parameter(name: str, found: inspect.Parameter) -> Parameter:
    if get_origin(found.annotation) is Annotated:
        kind, within = get_args(found.annotation)
        return Parameter(name, kind, found.default, within)
    return Parameter(name, float, found.default, Range(-math.inf, math.inf, "any number"))


def _number(value: float) -> str:
    return f"{value:.17g}" if isinstance(value, int) or float(f"{value:g}") != value else f"{value:g}"
