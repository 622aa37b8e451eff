"""RealSerial on pseudo-terminals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from link_fakes import Pty, Reports, link_threads, open_descriptors, pty, running, until

from gridzero.errors import LinkError
from gridzero.links.serial_port import RealSerial

pytestmark = pytest.mark.real_time


@pytest.fixture(autouse=True)
async def no_thread_left() -> AsyncIterator[None]:
    yield
    await until(lambda: not link_threads())


def serial_link(path: str, **options: Any) -> tuple[RealSerial, Reports]:
    reports = Reports()
    return RealSerial(name="rs485", port=path, baud=4800, report=reports, **options), reports


@asynccontextmanager
async def port_up() -> AsyncIterator[tuple[RealSerial, Pty, Reports]]:
    async with pty() as terminal:
        link, reports = serial_link(terminal.path)
        async with running(link):
            await until(lambda: link.health.state == "up")
            yield link, terminal, reports


async def write_until_refused(link: RealSerial) -> None:
    for _ in range(10_000):
        link.write(bytes(64))
        await asyncio.sleep(0)


async def test_bytes_go_both_ways() -> None:
    async with port_up() as (link, terminal, _):
        sent, heard = bytearray(), bytearray()
        terminal.on_data(sent.extend)
        link.listen(heard.extend)
        link.write(bytes(range(8)))
        terminal.write(bytes(range(256)))
        await until(lambda: len(sent) == 8 and len(heard) == 256)
        assert sent == bytes(range(8))
        assert heard == bytes(range(256))
        assert (link.health.tx, link.health.rx) == (8, 256)
        assert link.health.rx_at_s is not None


async def test_a_line_that_does_not_drain_is_an_error_and_not_a_wait() -> None:
    async with port_up() as (link, _, _):
        with pytest.raises(LinkError, match="does not drain"):
            await write_until_refused(link)
        assert link.health.tx_failed == 1
        assert link.health.state == "up"


async def test_a_burst_within_one_turn_is_refused_too() -> None:
    async with port_up() as (link, _, _):
        link.write(bytes(100))
        with pytest.raises(LinkError):
            link.write(b"x")


async def test_closing_does_not_wait_for_a_dead_line() -> None:
    async with port_up() as (link, _, _):
        with suppress(LinkError):
            await write_until_refused(link)
    assert link.health.state == "down"


async def test_what_was_written_last_still_leaves_when_the_link_closes() -> None:
    async with pty() as terminal:
        link, _ = serial_link(terminal.path)
        async with running(link):
            await until(lambda: link.health.state == "up")
            link.write(b"zero watts")
        assert terminal.read() == b"zero watts"


async def test_a_pulled_adapter_is_reported_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "by-id"
    async with pty() as first, pty() as second:
        path.symlink_to(first.path)
        link, reports = serial_link(str(path))
        heard = bytearray()
        link.listen(heard.extend)
        async with running(link):
            await until(lambda: link.health.state == "up")
            first.hang_up()
            path.unlink()
            await until(lambda: link.health.state == "down")
            with pytest.raises(LinkError, match="not open"):
                link.write(b"x")
            path.symlink_to(second.path)
            await until(lambda: link.health.state == "up")
            second.write(b"back")
            await until(lambda: heard == b"back")
        assert reports.told == [("link_down", True, "rs485"), ("link_down", False, "rs485")]
        assert link.health.reopened == 1


async def test_a_missing_port_is_named_with_a_remedy() -> None:
    link, reports = serial_link("/dev/serial/by-id/none")
    async with running(link):
        await until(lambda: reports.told)
        with pytest.raises(LinkError, match="by-id/none"):
            link.write(b"x")
    assert "Plug the adapter in" in reports.texts[0]


async def test_a_port_that_another_program_has_is_told_so() -> None:
    async with port_up() as (_, terminal, _):
        second, reports = serial_link(terminal.path)
        async with running(second):
            await until(lambda: reports.told)
        assert "Another program" in reports.texts[0]


async def test_a_driver_without_rs485_mode_is_told_with_a_remedy() -> None:
    async with pty() as terminal:
        link, reports = serial_link(terminal.path, rs485=True)
        async with running(link):
            await until(lambda: reports.told)
        assert "rs485" in reports.texts[0]


async def test_a_bug_in_a_handler_ends_the_link() -> None:
    async with pty() as terminal:
        link, _ = serial_link(terminal.path)

        def bug(data: bytes) -> None:
            raise ZeroDivisionError(data)

        link.listen(bug)
        task = asyncio.ensure_future(link.run())
        await until(lambda: link.health.state == "up")
        terminal.write(b"x")
        with pytest.raises(ZeroDivisionError):
            await task


async def test_no_descriptor_is_left_open() -> None:
    before = open_descriptors()
    for _ in range(3):
        async with port_up():
            pass
    assert open_descriptors() <= before
