"""The certificate beside a placement: ``certificate.json`` and the tables of prices it vouches for."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from cdn.errors import DataError
from cdn.files.prices import read_limit_prices, read_prices, write_prices
from cdn.files.writing import digest_of, write_json
from cdn.model.placement import Certificate, Prices
from cdn.model.problem import Problem

CERTIFICATE_FILE = "certificate.json"
_FIGURES = [field.name for field in fields(Certificate) if field.name != "prices"]
_SINCE = {"robust": None, "seed": None}
"""Figures that certificates of earlier versions do not have."""


def write_certificate(certificate: Certificate, problem: Problem, folder: Path, covered: list[Path]) -> None:
    """Writes the certificate; ``covered`` are the files whose digests it vouches for."""
    document: dict[str, Any] = dict(certificate.figures)
    if certificate.prices is not None:
        document["prices"], written = write_prices(certificate.prices, problem, folder)
        covered = [*covered, *written]
    document["digests"] = {path.relative_to(folder).as_posix(): digest_of(path) for path in covered}
    write_json(folder / CERTIFICATE_FILE, document)


def read_certificate(folder: Path, problem: Problem) -> tuple[Certificate, dict[str, str]]:
    """The certificate and the digests it vouches for. Raises DataError where it does not fit the problem."""
    path = folder / CERTIFICATE_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        figures = {name: (_SINCE | document)[name] for name in _FIGURES}
        prices = read_prices(document["prices"], folder, problem) if "prices" in document else None
        return Certificate(**figures, prices=prices), dict(document["digests"])
    except OSError as error:
        raise DataError.of_file(path, "a readable file") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DataError.of_file(path, f"a certificate of this problem ({type(error).__name__}: {error})") from error



def read_start_prices(folder: Path, problem: Problem) -> Prices:
    """The limits' prices of an earlier plan, for this problem to start from: sites, hours and links that are not there
    any more are left out, new ones cost nothing yet, and demand has no prices. Raises DataError."""
    path = folder / CERTIFICATE_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))["prices"]
        return read_limit_prices(document, problem)
    except OSError as error:
        raise DataError.of_file(path, "a readable file") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError.of_file(path, f"a certificate with prices ({type(error).__name__}: {error})") from error
