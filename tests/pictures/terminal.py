"""Draws docs/pictures/demo.svg: the screen of ``gridzero demo``, after a while in a simulated house.

    python tests/pictures/terminal.py

The house, its devices and their bytes are those of the demo; time jumps, so it takes seconds.
"""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from gridzero import log as logging_setup
from gridzero.config.loader import load
from gridzero.demo.command import demo_config
from gridzero.demo.scene import Scene
from gridzero.demo.simulated import SimulatedSite
from gridzero.demo.view import view_of
from gridzero.plugins import load_plugins
from gridzero.runtime.supervisor import Service
from gridzero.sim.live_view import LiveView
from gridzero.sim.loop import SimulatedLoop

FILE = Path(__file__).parents[2] / "docs" / "pictures" / "demo.svg"
COLUMNS, ROWS = 96, 29
HOUR, MINUTES, SOC = 17.4, 40.0, 0.62
THEME = TerminalTheme(
    (16, 20, 24), (208, 212, 216), [(16, 20, 24)] * 8, [(208, 212, 216)] * 8
)  # the view names its own colours; these are ground and plain text
# The fonts of whoever looks: GitHub lets no picture load others. textLength keeps the columns.
SVG = """<svg class="{unique_id}" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; white-space: pre; }}
.{unique_id}-title {{ font-size: 18px; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""


async def lived(view_after_s: float) -> str:
    """The screen after so long, as SVG."""
    loaded = load(demo_config(), load_plugins())
    site = SimulatedSite(loaded, load_plugins(), Scene(start_h=HOUR, soc=SOC, seed=4))
    view = LiveView(view_of(site.app, site.house), column_s=15.0)
    picture = view.picture(view.state())

    async def look() -> NoReturn:
        nonlocal picture
        while True:
            picture = view.picture(view.state())
            await asyncio.sleep(0.5)

    await site.run(view_after_s, (Service("view", look),))
    console = Console(
        record=True, width=COLUMNS, height=ROWS, file=io.StringIO(), force_terminal=True
    )
    console.print(picture)
    return console.export_svg(
        title="gridzero demo", theme=THEME, code_format=SVG, unique_id="gridzero"
    )


def main() -> None:
    """Write the picture."""
    logging_setup.configure("error")
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        svg = runner.run(lived(MINUTES * 60.0))
    FILE.write_text(re.sub(r"[ \t]+\n", "\n", svg))
    print(f"{FILE} {FILE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
