"""Every link from one page to another leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "drivers").rglob("*.md")]
)
_LINK = re.compile(r"(?:\]\(|(?:src|srcset)=\")([^)\"\s]+)[)\"]")


def anchors(page: Path) -> set[str]:
    """The headings as the usual renderers name them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def is_there(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    to = page.parent / name if name else page
    return to.exists() and (not anchor or anchor in anchors(to))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not is_there(page, link)] == []


def test_every_page_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    left = [ROOT / "README.md"]
    while left:
        page = left.pop().resolve()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        names = [link.partition("#")[0] for link in _LINK.findall(page.read_text())]
        left += [
            page.parent / n for n in names if n and "://" not in n and (page.parent / n).is_file()
        ]
    docs = {page.resolve() for page in (ROOT / "docs").glob("*.md")}
    assert sorted(page.name for page in docs - seen) == []
