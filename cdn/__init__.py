"""CDN cache placement: predict demand, place titles, plan the nightly fill, replay held-out logs."""

__version__ = "0.1.0"
