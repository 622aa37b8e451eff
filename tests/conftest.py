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
    "gridzero", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("gridzero")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("real_time"):
        return {"real": asyncio.SelectorEventLoop}
    return {"simulated": SimulatedLoop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever takes noise by the fixture below is a fuzz test: ``make fuzz`` runs these.

    Tests in real time run one after the other: two at once would take each other's processor.
    """
    for item in items:
        if "fuzz_frames" in getattr(item, "fixturenames", ()):
            item.add_marker("fuzz")
        if item.get_closest_marker("real_time"):
            item.add_marker(pytest.mark.xdist_group("real_time"))


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
