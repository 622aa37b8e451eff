"""Draws icon.png and logo.png of the add-on, by a headless Chromium.

A meter whose needle stands at zero.
"""

from __future__ import annotations

import os
from pathlib import Path
from shutil import which

from playwright.sync_api import sync_playwright

ADDON = Path(__file__).parents[2] / "docker" / "home-assistant-addon"
DIAL = """
<circle cx="64" cy="64" r="60" fill="#14222e"/>
<path d="M22 78 A44 44 0 0 1 64 34" fill="none" stroke="#4fb477" stroke-width="9"/>
<path d="M64 34 A44 44 0 0 1 106 78" fill="none" stroke="#e8a33d" stroke-width="9"/>
<path d="M59 78 L64 22 L69 78 Z" fill="#f4f7fa"/>
<circle cx="64" cy="78" r="9" fill="#f4f7fa"/>
<rect x="44" y="96" width="40" height="7" rx="3.5" fill="#4d90d9"/>
"""
PAGE = """<body style="margin:0"><svg xmlns="http://www.w3.org/2000/svg" width="{wide}"
height="{high}" viewBox="0 0 {box}">{drawn}</svg></body>"""
NAME = """<g transform="scale(0.78)">{dial}</g><text x="108" y="60" font-size="27"
font-family="sans-serif" font-weight="600" fill="#4d90d9">gridzero</text>"""
PICTURES = (
    ("icon.png", 128, 128, "128 128", DIAL),
    ("logo.png", 250, 100, "250 100", NAME.format(dial=DIAL)),
)


def main() -> None:
    """Write both."""
    program = os.environ.get("GRIDZERO_CHROMIUM") or which("chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, wide, high, box, drawn in PICTURES:
            page = browser.new_page(viewport={"width": wide, "height": high})
            page.set_content(PAGE.format(wide=wide, high=high, box=box, drawn=drawn))
            page.screenshot(path=ADDON / name, omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
