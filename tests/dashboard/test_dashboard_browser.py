"""The page in a real Chromium: `make browser` installs it. Pictures are kept in build/pictures."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import urlsplit

import pytest
from dashboard_house import (
    SECRET,
    broker,
    dashboard,
    record_days,
    said,
    talking,
    with_age,
    with_trouble,
)
from free_ports import free_port
from playwright.async_api import async_playwright

CHROMIUM = Path(os.environ.get("GRIDZERO_CHROMIUM") or which("chromium") or "/usr/bin/chromium")
PICTURES = Path(__file__).parents[2] / "build" / "pictures"
PANELS = (
    *("flow", "battery", "chart", "why", "energy", "care", "cells", "score", "faults", "events"),
    *("modules", "settings"),
)
PATIENCE_MS = 60_000.0

needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="no Chromium on this machine: make browser installs one"
)
pytestmark = [pytest.mark.real_time, pytest.mark.slow]


@asynccontextmanager
async def chromium() -> AsyncIterator[Any]:
    async with async_playwright() as play:
        browser = await play.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            await browser.close()


class Tab:
    """One page, and everything it complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.heard: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("websocket", self._on_socket)

    def _on_console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _on_socket(self, ws: Any) -> None:
        ws.on("framereceived", lambda frame: self.heard.append(str(frame)))

    async def picture(self, name: str, *, whole: bool = False) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)

    async def text(self, selector: str) -> str:
        return str(await self.page.inner_text(selector))

    async def wait(self, words: str) -> None:
        await self.page.wait_for_function(
            "words => document.body?.innerText.includes(words)", arg=words, timeout=PATIENCE_MS
        )


async def tab(browser: Any, width: int = 1440, height: int = 900, scheme: str = "dark") -> Tab:
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme
    )
    return Tab(await context.new_page())


@needs_chromium
async def test_the_page_as_people_use_it(tmp_path: Path) -> None:
    house = with_age(with_trouble(await asyncio.to_thread(said)))
    history = tmp_path / "state" / "history.sqlite"
    await asyncio.to_thread(record_days, history, 2.0, house["state"], step_s=60.0)
    async with (
        broker() as port,
        talking(port, house) as talker,
        dashboard(tmp_path, port) as address,
        chromium() as browser,
    ):
        desk = await tab(browser)
        await desk.page.goto(address)
        await _shows_everything(desk)
        await _acknowledges(desk, talker)
        await _is_refused_with_a_reason(desk, talker)
        await _sets_by_switch_and_goes_back_to_the_file(desk, talker)
        await _asks_before_what_is_dangerous(desk, talker)
        await _is_used_by_keyboard(desk)
        await _fits(browser, address)
        await talker.offline()
        await desk.wait("gridzero is offline")
        await desk.picture("offline")
        await talker.online()
        await desk.page.wait_for_selector(".banner", state="detached")
        assert desk.complaints == []


async def _shows_everything(desk: Tab) -> None:
    page = desk.page
    for panel in PANELS:
        await page.wait_for_selector(f"#{panel} .body", timeout=PATIENCE_MS)
    await desk.wait("module b3 was 0.4 V away")
    for last in (".map .bleeding", ".causes li", "#f-target_w"):  # topics come one after another
        await page.wait_for_selector(last, timeout=PATIENCE_MS)
    assert await page.locator(".map button.cell").count() == 108
    assert await page.locator(".map .suspect").count() == 1
    assert await page.locator(".map .bleeding").count() == 3
    await page.locator('[aria-label^="b3.7"]').click()
    await desk.wait("neighbours show 3.788 V")
    await page.wait_for_selector('.chart[data-drawn="day"] canvas')
    await page.keyboard.press("w")
    await page.wait_for_selector('.chart[data-drawn="week"]')
    assert "±" in await desk.text(".gauge .big")
    assert await page.locator(".causes li").count() >= 1
    assert await page.locator(".days .battery").count() == 7
    assert await page.locator(".modules tbody tr").count() == 9
    assert await page.locator(".band i").count() >= 2
    await page.get_by_role("button", name="grid", exact=True).click()
    assert "grid" not in str(await page.evaluate("localStorage.getItem('gridzero-curves')"))
    for key, span in (("m", "month"), ("y", "year")):
        await page.keyboard.press(key)
        await page.wait_for_selector(f'.chart[data-drawn="{span}"]')
    await desk.picture("desk", whole=True)


async def _acknowledges(desk: Tab, talker: Any) -> None:
    await desk.page.get_by_role("button", name="Acknowledge", exact=True).click()
    await desk.wait("acknowledge: done")
    ask = talker.asked[-1]
    assert (ask["what"], ask["value"], ask["by"]) == ("acknowledge", "module_apart b3", "dashboard")


async def _is_refused_with_a_reason(desk: Tab, talker: Any) -> None:
    field = desk.page.locator("#f-target_w")
    await field.fill("99999")
    await field.press("Enter")
    await desk.wait("target_w takes -2000 to 2000, not 99999")
    assert talker.asked[-1]["value"] == "99999"
    await desk.picture("refused")


async def _sets_by_switch_and_goes_back_to_the_file(desk: Tab, talker: Any) -> None:
    fields = talker.house["settings"]["settings"]
    fields["max_charge_w"]["value"] = 1200.0
    await desk.page.locator("#f-ev_hold").click()
    await desk.wait("ev_hold: done")
    assert (talker.asked[-1]["what"], talker.asked[-1]["value"]) == ("ev_hold", "on")
    await desk.page.get_by_role("button", name="Maximum charge back to 2800").click()
    await desk.wait("max_charge_w: done")
    assert (talker.asked[-1]["what"], talker.asked[-1]["value"]) == ("max_charge_w", "2800")
    fields["max_charge_w"]["value"] = 2800.0
    await desk.page.wait_for_selector('[data-key="max_charge_w"] .default', state="detached")


async def _asks_before_what_is_dangerous(desk: Tab, talker: Any) -> None:
    talker.house["settings"]["actions"]["restart"] = {
        "title": "Restart gridzero",
        "text": "stops everything in order",
        "argument": "",
        "dangerous": True,
    }
    before = len(talker.asked)
    await desk.page.locator('[data-key="restart"] button').click()
    await desk.page.locator("dialog").get_by_text("Cancel").click()
    assert len(talker.asked) == before
    await desk.page.locator('[data-key="restart"] button').click()
    await desk.page.locator("dialog").get_by_text("Yes, restart").click()
    await desk.wait("restart: done")


async def _is_used_by_keyboard(desk: Tab) -> None:
    await desk.page.evaluate("document.activeElement.blur()")
    await desk.page.keyboard.press("?")
    await desk.page.wait_for_selector("dialog[open] .keys")
    await desk.page.keyboard.press("Escape")
    await desk.page.wait_for_selector("dialog[open]", state="detached")
    await desk.page.keyboard.press("5")
    assert await desk.page.evaluate("document.activeElement.id") == "cells"


async def _fits(browser: Any, address: str) -> None:
    light = await tab(browser, scheme="light")
    await light.page.goto(address)
    await light.page.wait_for_selector(".chart[data-drawn]")
    bright = await _background(light)
    await light.page.get_by_role("button", name="Colours").click()
    assert await _background(light) != bright
    phone = await tab(browser, 360, 740)
    await phone.page.goto(address)
    await phone.page.wait_for_selector(".chart[data-drawn]")
    assert await phone.page.evaluate("document.documentElement.scrollWidth") <= 360
    wall = await tab(browser, 1920, 1080)
    await wall.page.goto(f"{address}/?kiosk")
    await wall.page.wait_for_selector(".chart[data-drawn]")
    assert await wall.page.evaluate("document.documentElement.scrollHeight") <= 1080
    assert await wall.page.locator(".kiosk button:not(.cell), .kiosk input").count() == 0
    for one, name in ((light, "light"), (phone, "phone"), (wall, "kiosk")):
        await one.picture(name)
        assert one.complaints == []


async def _background(one: Tab) -> str:
    return str(await one.page.evaluate("getComputedStyle(document.body).backgroundColor"))


@needs_chromium
async def test_a_password_keeps_strangers_out_and_stays_out_of_the_page(tmp_path: Path) -> None:
    house = await asyncio.to_thread(said)
    async with (
        broker() as port,
        talking(port, house),
        dashboard(tmp_path, port, password=SECRET) as address,
        chromium() as browser,
    ):
        one = await tab(browser)
        pages: list[str] = []
        await one.page.goto(address)
        pages.append(await one.page.content())
        await one.page.fill("#password", "a wrong one")
        await one.page.keyboard.press("Enter")
        await one.wait("That is not the password")
        await one.picture("login")
        await one.page.fill("#password", SECRET)
        await one.page.keyboard.press("Enter")
        await one.page.wait_for_selector("#flow .body")
        await one.wait("online")
        pages.append(await one.page.content())
        assert await one.page.evaluate("document.cookie") == ""
        assert not any(SECRET in words for words in (*pages, *one.heard))
        await _floods(address)
        await one.page.get_by_role("button", name="Log out").click()
        await one.page.wait_for_selector("#password")


@needs_chromium
async def test_a_page_left_open_lives_through_a_restart_and_an_update(tmp_path: Path) -> None:
    """Nobody touches it; what an update has changed is fetched anew."""
    house, web = await asyncio.to_thread(said), free_port()
    async with broker() as port, talking(port, house), chromium() as browser:
        async with dashboard(tmp_path, port, port=web) as address:
            one = await tab(browser)
            await one.page.goto(address)
            await one.wait("online")
            await one.page.evaluate("window.isOld = true")
            script = await _asked(address, "/dashboard/flow.js")
            assert b"cache-control: no-cache" in script.lower()
            etag = re.search(rb"(?im)^etag: (.*)\r$", script)
            assert etag is not None
            again = await _asked(
                address, "/dashboard/flow.js", f"If-None-Match: {etag[1].decode()}"
            )
            assert again.startswith(b"HTTP/1.1 304")
        await one.wait("The dashboard itself cannot be reached")
        async with dashboard(tmp_path, port, port=web):
            await one.page.wait_for_function("() => !window.isOld", timeout=PATIENCE_MS)
            await one.wait("online")
            await one.page.wait_for_selector(".banner", state="detached")
            house["state"]["grid_w"] = 4321.0
            await one.wait("4321")


async def _asked(address: str, path: str, *headers: str) -> bytes:
    host = urlsplit(address).netloc
    lines = (f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", "")
    return await _talk(host, "\r\n".join(lines).encode())


async def _floods(address: str) -> None:
    states = [await _try(address, f"password={number}") for number in range(12)]
    assert 429 in states
    assert 200 not in states


async def _try(address: str, body: str) -> int:
    host = urlsplit(address).netloc
    head = (
        f"POST /login HTTP/1.1\r\nHost: {host}\r\nOrigin: {address}\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answer = await _talk(host, (head + body).encode())
    return int(answer.split(b" ")[1])


async def _talk(host: str, said: bytes) -> bytes:
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(said)
    try:
        return await reader.read(-1)
    finally:
        writer.close()


async def test_a_browser_that_never_reads_is_dropped_while_others_are_served(
    tmp_path: Path,
) -> None:
    """By raw sockets: eight that load the page, open the socket and then say nothing more."""
    house = await asyncio.to_thread(said)
    async with (
        broker() as port,
        talking(port, house),
        dashboard(tmp_path, port) as address,
    ):
        host = urlsplit(address).netloc
        silent = [await _silent_browser(host) for _ in range(8)]
        for _ in range(3):
            assert (await _page(host)).startswith(b"HTTP/1.1 200")
        for reader, writer in silent:
            async with asyncio.timeout(60.0):
                while await reader.read(65_536):
                    pass  # what was under way, then the end
            writer.close()


async def _silent_browser(host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    name, _, port = host.partition(":")
    page = await _page(host)
    client = page.partition(b'"client_id":')[2].strip()[1:37].decode()
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    reader, writer = await asyncio.open_connection(name, int(port))
    query = (
        f"client_id={client}&next_message_id=0&implicit_handshake=true&tab_id={client}"
        f"&document_id={client}&EIO=4&transport=websocket"
    )
    writer.write(
        f"GET /_nicegui_ws/socket.io/?{query} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    answer = await reader.readuntil(b"\r\n\r\n")
    assert b"101" in answer.split(b"\r\n")[0], answer
    return reader, writer


async def _page(host: str) -> bytes:
    return await _talk(
        host, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    )
