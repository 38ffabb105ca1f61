"""What a sample is made from: the parameter file (TOML), validated before anything is drawn."""

from datetime import date
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cdn.files.topologies import load_toml, parse_record

Id = Annotated[str, Field(min_length=1, pattern=r"^[^;,\s/]+$")]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class KindParameters(_Parameters):
    """``[[kinds]]``: films, episodes, ... A kind with more than one episode per season comes in series."""

    name: Id = Field(description="name of the kind")
    title_share: Share = Field(description="share of the titles; the kinds' shares are scaled to add up to 1")
    minutes: float = Field(gt=0, le=1e5, description="median running time, min")
    minutes_sigma: float = Field(0.2, ge=0, le=5, description="running time: sd of the logarithm")
    episodes_per_season: float = Field(1.0, ge=1, le=1000, description="mean; 1: no series")
    seasons_per_series: float = Field(1.0, ge=1, le=1000, description="mean")
    launch_boost: float = Field(10.0, ge=1, le=1e6, description="requests on the release day / in the long run")
    decay_days: Positive = Field(5.0, description="time scale of the decay after the release")
    decay_shape: Positive = Field(1.0, description="exponent of the decay: 1 exponential, below 1 a longer tail")

    def __repr__(self) -> str:
        return self.name


class EncodeParameters(_Parameters):
    """``[[encodes]]``: each title has one asset per encode."""

    name: Id = Field(description="name of the encode; ends the asset's id where there is more than one")
    bitrate_mbps: float = Field(gt=0, le=1e5, description="playback rate, Mbit/s")
    request_share: Positive = Field(1.0, description="share of a title's requests; scaled to add up to 1")
    language: Id | None = Field(None, description="language of the encode, for the catalog")

    def __repr__(self) -> str:
        return self.name


FILM = KindParameters(name="film", title_share=0.25, minutes=102, launch_boost=15, decay_days=5.1, decay_shape=1.15)
EPISODE = KindParameters(name="episode", title_share=0.75, minutes=46, minutes_sigma=0.3, episodes_per_season=8,
                         seasons_per_series=2, launch_boost=6.8, decay_days=9.8, decay_shape=1.25)


class GeneratorParameters(_Parameters):
    """The whole file. Regions come either from a topology or are made up (``n_regions``)."""

    topology: str | None = Field(
        None, description="topology file whose regions ask, relative to this file; or else `n_regions`")
    n_regions: int | None = Field(None, ge=1, le=100_000, description="regions to make up, with a topology to match")
    n_titles: int = Field(ge=1, le=10_000_000, description="titles in the catalog")
    start_day: date = Field(description="first day (UTC), 1970 to 2200")
    days: int = Field(ge=1, le=3660, description="number of days")
    held_out_days: int = Field(0, ge=0, description="the last so many days are written apart, to replay plans on")
    requests_per_day: float = Field(gt=0, le=1e9, description="mean requests a day, all regions")
    seed: int = Field(1, ge=0, description="seed, unless the command gives one")

    zipf_exponent: float = Field(0.42, ge=0, le=5, description="s: long-run popularity of rank k is k^-s in the head")
    tail_from_share: float = Field(0.05, gt=0, le=1, description="share of the ranks that is head; the others are tail")
    tail_exponent: float = Field(
        1.4, ge=0, le=20, description="exponent in the tail; the steeper, the more titles are asked for once")
    series_spread: float = Field(0.3, ge=0, le=100, description="how far a season's episodes lie apart in rank")

    n_genres: int = Field(8, ge=1, le=1000, description="genres")
    taste_genre: float = Field(0.3, ge=0, le=5, description="a region's taste for a genre: sd of the logarithm")
    taste_title: float = Field(0.43, ge=0, le=5, description="its taste for a film or season: sd of the logarithm")
    home_share: Share = Field(0.18, description="share of films and seasons that are local: they have one home region")
    home_boost: float = Field(5.0, ge=1, le=1e6, description="popularity of a local title at home / elsewhere")

    drift: float = Field(
        0.75, ge=0, le=5, description="attention a film or season gets from week to week: sd of the logarithm")

    launches_per_day: float = Field(2.5, ge=0, le=1e6, description="films and seasons released a day")
    launch_appeal: float = Field(
        0.8, ge=-10, le=10, description="how much what is popular in the long run is preferred among launches (0: not)")
    launch_weekdays: Annotated[list[Weight], Field(min_length=7, max_length=7)] = Field(
        [0, 0, 1, 4, 7, 5, 2], description="weight of Monday to Sunday as release days")

    peak_over_mean: float = Field(2.0, ge=1, le=20, description="busiest hour / mean hour of a region's day")
    peak_hour: float = Field(20.5, ge=0, lt=24, description="local time of the peak, hours after midnight")
    weekday_factors: Annotated[list[Weight], Field(min_length=7, max_length=7)] = Field(
        [0.95, 0.93, 0.94, 0.96, 1.02, 1.12, 1.08], description="requests on Monday to Sunday, scaled to mean 1")

    complete_share: Share = Field(0.7, description="share of requests that are for the whole asset")
    partial_alpha: float = Field(0.9, ge=0.01, le=1000, description="the others' part is Beta distributed: alpha")
    partial_beta: float = Field(1.6, ge=0.01, le=1000, description="the others' part is Beta distributed: beta")
    segment_mb: float = Field(25.0, gt=0, le=1e9, description="parts are whole segments of this size, MB (1e6 bytes)")
    bitrate_sigma: float = Field(0.35, ge=0, le=5, description="bit rate over the encode's: sd of the logarithm")

    least_requests: Weight = Field(0.01, description="expected demand leaves out entries with fewer requests a day")
    region_mix: Positive | None = Field(
        None, description="how alike the regions' shares of the encodes are: Dirichlet concentration; empty: the same")
    title_mix: Positive | None = Field(
        None, description="how alike the titles' shares are within a region: Dirichlet concentration; empty: the same")
    kinds: Annotated[list[KindParameters], Field(min_length=1)] = Field(
        [FILM, EPISODE], description="kinds of title; by default films and episodes, see below")
    encodes: Annotated[list[EncodeParameters], Field(min_length=1)] = Field(
        [EncodeParameters(name="1080p", bitrate_mbps=5.0)], description="encodes of every title; by default one")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.topology is None) == (self.n_regions is None):
            raise ValueError("either `topology` or `n_regions`")
        if not 1970 <= self.start_day.year <= 2200:
            raise ValueError("start_day in the years 1970 to 2200")
        if self.held_out_days >= self.days:
            raise ValueError("held_out_days below days")
        for what, members in (("kinds", self.kinds), ("encodes", self.encodes)):
            if len({member.name for member in members}) != len(members):
                raise ValueError(f"names of {what} that stand once")
        for what, weights in (("kinds.title_share", [kind.title_share for kind in self.kinds]),
                              ("launch_weekdays", self.launch_weekdays), ("weekday_factors", self.weekday_factors)):
            if not sum(weights) > 0:
                raise ValueError(f"{what} that add up to more than 0")
        return self


def read_parameters(path: Path | str) -> GeneratorParameters:
    """Reads a parameter file. Raises DataError with every fault and its path in the document."""
    return parse_record(path, load_toml(Path(path)), GeneratorParameters)


def topology_path(parameters: GeneratorParameters, parameters_path: Path | str) -> Path | None:
    """The topology file the parameters name, or None where regions are made up."""
    return None if parameters.topology is None else Path(parameters_path).parent / parameters.topology
