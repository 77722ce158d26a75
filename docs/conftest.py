"""Checks that a page registers are gone when it ends: other tests of the process list all there are."""

import pytest

from scalinglaws.verify import registry


@pytest.fixture(autouse=True)
def registered_checks(monkeypatch):
    """Give each page a registry of its own."""
    registry.registered()
    monkeypatch.setattr(registry, "_CHECKS", dict(registry._CHECKS))
