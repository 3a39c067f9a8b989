"""What the units said during a test that fails, beside its failure."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.boot.inside.machine import Journal

STARTED = pytest.StashKey[Journal]()
UNITS = ("pgmcp*", "postgresql*", "tailscaled.service")
MOST = 60  # lines


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Remember when the test began, before its fixtures."""
    item.stash[STARTED] = Journal()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the journal to a failure."""
    report = yield
    if report.failed and STARTED in item.stash:
        lines = item.stash[STARTED].lines(*UNITS, form="short-precise")
        report.sections.append(("journal", "\n".join(lines[-MOST:])))
    return report
