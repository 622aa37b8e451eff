"""Tests run on the simulated loop unless they are marked ``real_time``."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import pytest
import pytest_asyncio
import structlog
from hypothesis import HealthCheck, settings

from gridzero.sim.loop import SimulatedLoop

settings.register_profile(
    "gridzero",
    deadline=None,
    # the first text on a fresh machine waits for hypothesis' table of all letters: too_slow
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("gridzero")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("real_time"):
        return {"real": asyncio.SelectorEventLoop}
    return {"simulated": SimulatedLoop}


ROWS = {"mosquitto": "waiting", "harm": "waiting", "process": "processes"}
"""Of the tests in real time, by folder: these start processes and mostly wait for what they do."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whoever takes noise by the fixture below is a fuzz test: ``make fuzz`` runs these.

    Tests in real time run one after the other, in three rows: more at once would take each other's
    processor. What is ``long`` is left out unless ``-m`` speaks of it.
    """
    for item in items:
        if "fuzz_frames" in getattr(item, "fixturenames", ()):
            item.add_marker("fuzz")
        if item.get_closest_marker("real_time"):
            row = ROWS.get(item.path.parent.name, "real_time")
            item.add_marker(pytest.mark.xdist_group(row))
    if "long" not in config.option.markexpr:
        _leave_out_long(config, items)


def _leave_out_long(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest_asyncio.fixture
async def no_task_left_behind() -> AsyncIterator[None]:
    """Fails a test that leaves a task running."""
    before = asyncio.all_tasks()
    yield
    mine = {*before, asyncio.current_task()}
    left = {task for task in asyncio.all_tasks() - mine if not task.done()}
    assert not left, f"tasks left behind: {sorted(task.get_name() for task in left)}"


@pytest.fixture(autouse=True)
def _tasks_belong_to_someone(request: pytest.FixtureRequest) -> None:
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("no_task_left_behind")


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command that sets up logging must not leave its closed stream to the next test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def fuzz_frames() -> int:
    """How much noise each codec is fed; ``make fuzz`` asks for a million."""
    return int(os.environ.get("GRIDZERO_FUZZ_FRAMES", "20000"))
