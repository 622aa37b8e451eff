"""The page before the page: a form without scripts."""

from __future__ import annotations

from html import escape

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{site}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/dashboard/style.css"></head>
<body><main class="login"><form method="post" action="/login">
<svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="16" r="12" />
<path d="M2 16h8l3-6 6 12 3-6h8" /></svg>
<h1>{site}</h1><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password"
required autofocus>
{told}<button>Log in</button></form></main></body></html>
"""


def login_page(site: str, told: str = "") -> str:
    """HTML. told: why the last try failed."""
    words = f'<p role="alert">{escape(told)}</p>' if told else ""
    return _PAGE.format(site=escape(site), told=words)
