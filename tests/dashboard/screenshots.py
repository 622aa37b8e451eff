"""Draws the pictures of docs/dashboard.md, or measures how fast the page is, in a real Chromium.

    make screenshots       writes docs/pictures/dashboard-*.png
    make dashboard-speed   prints a table for docs/benchmarks.md

The house is simulated; a week of its history is made by simple arithmetic and written by the real
recorder. Everything else is as in a house: broker, ``gridzero dashboard``, browser.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from dashboard_house import broker, dashboard, record_days, said, talking, with_age, with_trouble
from playwright.async_api import async_playwright

CHROMIUM = "/usr/bin/chromium"
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
VISITS = 7
MOST_BYTES = 320_000


class Shot(NamedTuple):
    name: str
    width: int
    height: int
    scheme: str
    path: str = "/"
    panel: str = ""


SHOTS = (
    Shot("dark", 1440, 1240, "dark"),
    Shot("light", 1440, 1240, "light"),
    Shot("phone", 360, 740, "dark"),
    Shot("kiosk", 1760, 990, "dark", "/?kiosk"),
    Shot("energy", 1440, 900, "light", panel="#energy"),
)


def a_good_day() -> dict[str, Any]:
    """A house without trouble but one sensor in doubt, as most days are."""
    house = with_age(with_trouble(said(600.0)))
    house["state"]["faults"] = [
        fault for fault in house["state"]["faults"] if fault["code"] == "module_apart"
    ]
    house["state"]["faults"][0].update(
        code="cell_implausible",
        subject="b3.7",
        level="warn",
        is_latched=False,
        text="cell b3.7 reads 2.581 V, its neighbours show 3.788 V: the sensor is wrong",
        remedy="Look at its plug; the battery goes on without this reading",
    )
    return house


async def main(*, speed: bool) -> None:
    house = await asyncio.to_thread(a_good_day)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        history = here / "state" / "history.sqlite"
        await asyncio.to_thread(record_days, history, 8.0, house["state"], step_s=20.0)
        async with (
            broker() as port,
            talking(port, house, lively=True),
            dashboard(here, port) as address,
            async_playwright() as play,
        ):
            browser = await play.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            await asyncio.sleep(6.0)  # until every topic has been said
            await (measure if speed else draw)(browser, address)
            await browser.close()


async def draw(browser: Any, address: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        context = await browser.new_context(
            viewport={"width": shot.width, "height": shot.height}, color_scheme=shot.scheme
        )
        page = await context.new_page()
        await page.goto(address + shot.path)
        await page.wait_for_selector(".chart[data-drawn] canvas")
        await page.wait_for_timeout(1500)
        file = PICTURES / f"dashboard-{shot.name}.png"
        await (page.locator(shot.panel) if shot.panel else page).screenshot(path=file)
        size = file.stat().st_size
        print(f"{file.name}: {size} bytes")
        assert size < MOST_BYTES, "too large for a page of documents"
        await context.close()


async def measure(browser: Any, address: str) -> None:
    """Each visit begins with an empty cache; the server has been asked before."""
    visits = [await visit(browser, address) for _ in range(VISITS)]
    print("| what | goal | median | worst |")
    print("|---|---:|---:|---:|")
    for name, goal_ms, values in (
        ("first paint, empty cache", 1500, [paint for paint, _ in visits]),
        ("a week's chart, from key to picture", 500, [week for _, week in visits]),
    ):
        print(
            f"| {name} | {goal_ms} ms | {statistics.median(values):.0f} ms | {max(values):.0f} ms |"
        )


async def visit(browser: Any, address: str) -> tuple[float, float]:
    """First contentful paint, which has the figures in it already; and the week's chart, ms."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_selector('.chart[data-drawn="day"] canvas')
    paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    painted_ms = await page.evaluate(paint)
    await page.keyboard.press("w")
    await page.wait_for_selector('.chart[data-drawn="week"]')
    week = """performance.getEntriesByName('gridzero-chart-drawn').at(-1).startTime
        - performance.getEntriesByName('gridzero-chart-asked')[0].startTime"""
    week_ms = await page.evaluate(week)
    await context.close()
    return painted_ms, week_ms


if __name__ == "__main__":
    asyncio.run(main(speed="--speed" in sys.argv))
