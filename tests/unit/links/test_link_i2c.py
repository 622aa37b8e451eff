"""RealI2c on an injected SMBus."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from link_fakes import Reports, link_threads, running, until

from gridzero.errors import LinkError
from gridzero.links.i2c_bus import RealI2c

pytestmark = pytest.mark.real_time

ADC = 0x48


@pytest.fixture(autouse=True)
async def no_thread_left() -> AsyncIterator[None]:
    yield
    await until(lambda: not link_threads())


class FakeSmbus:
    """Registers of one device, as the bytes travel: low byte first."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.words: dict[int, int] = {0: 0x3412}
        self.errors: list[OSError] = []
        self.release = threading.Event()
        self.release.set()
        self.closed = 0

    def open(self, number: int) -> FakeSmbus:
        self.numbers.append(number)
        self._fail()
        return self

    def read_word_data(self, i2c_addr: int, register: int) -> int:
        assert i2c_addr == ADC
        self.release.wait(5)
        self._fail()
        return self.words[register]

    def write_word_data(self, i2c_addr: int, register: int, value: int) -> None:
        assert i2c_addr == ADC
        self._fail()
        self.words[register] = value

    def close(self) -> None:
        self.closed += 1

    def _fail(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


@asynccontextmanager
async def bus_up(fake: FakeSmbus) -> AsyncIterator[tuple[RealI2c, Reports]]:
    reports = Reports()
    link = RealI2c(name="i2c", bus_number=1, report=reports, limit_s=0.1, open_bus=fake.open)
    async with running(link):
        await until(lambda: link.health.state == "up")
        yield link, reports


async def test_words_are_read_and_written_high_byte_first() -> None:
    fake = FakeSmbus()
    async with bus_up(fake) as (link, _):
        assert await link.read_word(ADC, 0) == 0x1234
        await link.write_word(ADC, 1, 0x8583)
        assert fake.words[1] == 0x8385
        assert fake.numbers == [1]
    await until(lambda: fake.closed == 1)


@pytest.mark.parametrize("code", [121, 110])
async def test_a_silent_device_is_an_error_of_the_call_not_of_the_bus(code: int) -> None:
    fake = FakeSmbus()
    async with bus_up(fake) as (link, reports):
        fake.errors.append(OSError(code, "Remote I/O error"))
        with pytest.raises(LinkError, match=r"0x48.*address strap"):
            await link.read_word(ADC, 0)
        assert await link.read_word(ADC, 0) == 0x1234
        assert reports.told == []


async def test_a_bus_that_goes_away_is_opened_again() -> None:
    fake = FakeSmbus()
    async with bus_up(fake) as (link, reports):
        fake.errors.append(OSError(19, "No such device"))
        with pytest.raises(LinkError):
            await link.write_word(ADC, 0, 0)
        await until(lambda: link.health.reopened == 1)
        assert [active for _, active, _ in reports.told] == [True, False]


async def test_a_bus_that_hangs_holds_up_neither_reader_nor_shutdown() -> None:
    fake = FakeSmbus()
    async with bus_up(fake) as (link, reports):
        fake.release.clear()
        readers = (link.read_word(ADC, 0), link.read_word(ADC, 0))
        failures = await asyncio.gather(*readers, return_exceptions=True)
        assert all(isinstance(failure, LinkError) for failure in failures)
        await until(lambda: len(reports.told) == 2)  # hangs, and still hangs
        assert "hangs" in reports.texts[0]
        with pytest.raises(LinkError, match="not open"):
            await link.read_word(ADC, 0)
        assert len(fake.numbers) == 1
    fake.release.set()


async def test_a_missing_bus_is_reported_with_a_remedy_and_tried_again() -> None:
    fake = FakeSmbus()
    fake.errors.append(FileNotFoundError(2, "No such file or directory: '/dev/i2c-1'"))
    async with bus_up(fake) as (_, reports):
        assert "dtparam=i2c_arm=on" in reports.texts[0]
        assert [active for _, active, _ in reports.told] == [True, False]


async def test_the_real_library_says_that_there_is_no_such_bus() -> None:
    reports = Reports()
    link = RealI2c(name="i2c", bus_number=97, report=reports)
    async with running(link):
        await until(lambda: reports.told)
        with pytest.raises(LinkError, match="i2c-97"):
            await link.read_word(ADC, 0)
