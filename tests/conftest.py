"""Fixtures that several test files share."""

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real logs, which is not part of the project: tests that need it skip without it, except in CI
    runs that say they have it (CDN_REQUIRE_SHARED_DATA=1)."""
    if not SHARED_DATA.is_dir():
        if os.environ.get("CDN_REQUIRE_SHARED_DATA"):
            pytest.fail(f"the real logs are missing: {SHARED_DATA}")
        pytest.skip("the real logs are not here")
    return SHARED_DATA
