"""Starts gridzero as an add-on: takes options and the broker's account from Supervisor.

House.yaml gets them from the environment: `host: !env MQTT_HOST` and so on (DOCS.md).
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

OPTIONS = Path("/data/options.json")
CONFIGS = Path("/config")
STATE = Path("/data/gridzero")
BROKER = "http://supervisor/services/mqtt"
_PATIENCE_S = 10.0
_AGAIN_S = 2.0
_TRIES = 30  # a minute: while the machine starts, Supervisor may be busy


def main() -> None:
    """Become `gridzero run`; ends with a sentence when something is missing."""
    options = told()
    house = CONFIGS / str(options.get("config") or "house.yaml")
    if not house.is_file():
        sys.exit(f"There is no {house.name} in the add-on's configuration folder, see DOCS")
    environment = {**os.environ, **account(broker()), **passwords(options)}
    environment.pop("SUPERVISOR_TOKEN", None)  # gridzero has no business there
    STATE.mkdir(exist_ok=True)
    os.chdir(STATE)  # a relative site.state_dir ends up here, in the add-on's own data
    os.execvpe("gridzero", ["gridzero", "run", str(house)], environment)  # noqa: S606, S607 - of the image


def told() -> dict[str, Any]:
    """What was typed into the add-on's page; all defaults when Supervisor's file is spoilt."""
    try:
        options = json.loads(OPTIONS.read_text())
    except (OSError, ValueError) as error:
        print(f"{OPTIONS}: {error}: the defaults are taken", flush=True)
        return {}
    return options if isinstance(options, dict) else {}


def broker() -> dict[str, Any]:
    """The account that Supervisor made for this add-on; empty without a broker add-on.

    Nobody starts an add-on again that gave up too early, so a Supervisor that is not there yet is
    waited for; one that says no is believed.
    """
    for left in reversed(range(_TRIES)):
        try:
            return asked()
        except (OSError, ValueError) as error:
            if left and not isinstance(error, urllib.error.HTTPError):
                time.sleep(_AGAIN_S)
                continue
            print(f"no broker from Supervisor ({error}): house.yaml must name one", flush=True)
            break
    return {}


def asked() -> dict[str, Any]:
    """One question. Raises OSError, ValueError."""
    token = os.environ.get("SUPERVISOR_TOKEN", "")
    request = urllib.request.Request(BROKER, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310 - a fixed address
        said = json.load(answer)
    data = said.get("data") if isinstance(said, dict) else None
    return data if isinstance(data, dict) else {}


def account(data: dict[str, Any]) -> dict[str, str]:
    """As variables for `!env`."""
    names = {"host": "HOST", "port": "PORT", "username": "USER", "password": "PASSWORD"}
    return {f"MQTT_{name}": str(data[key]) for key, name in names.items() if data.get(key)}


def passwords(options: dict[str, Any]) -> dict[str, str]:
    """What a person typed into the add-on's page."""
    word = str(options.get("dashboard_password") or "")
    return {"DASHBOARD_PASSWORD": word} if word else {}


if __name__ == "__main__":
    main()
