"""Starts gridzero as an add-on: takes options and the broker's account from Supervisor.

House.yaml gets them from the environment: `host: !env MQTT_HOST` and so on (DOCS.md).
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

OPTIONS = Path("/data/options.json")
CONFIGS = Path("/config")
STATE = Path("/data/gridzero")
BROKER = "http://supervisor/services/mqtt"
_PATIENCE_S = 10.0


def main() -> None:
    """Become `gridzero run`; ends with a sentence when something is missing."""
    options = json.loads(OPTIONS.read_text())
    house = CONFIGS / options["config"]
    if not house.is_file():
        sys.exit(f"There is no {house.name} in the add-on's configuration folder, see DOCS")
    environment = {**os.environ, **account(broker()), **passwords(options)}
    environment.pop("SUPERVISOR_TOKEN", None)  # gridzero has no business there
    STATE.mkdir(exist_ok=True)
    os.chdir(STATE)  # a relative site.state_dir ends up here, in the add-on's own data
    os.execvpe("gridzero", ["gridzero", "run", str(house)], environment)  # noqa: S606, S607 - of the image


def broker() -> dict[str, Any]:
    """The account that Supervisor made for this add-on; empty without a broker add-on."""
    token = os.environ.get("SUPERVISOR_TOKEN", "")
    request = urllib.request.Request(BROKER, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310 - a fixed address
            data = json.load(answer).get("data")
    except (OSError, ValueError) as error:
        print(f"no broker from Supervisor ({error}): house.yaml must name one", flush=True)  # noqa: T201
        return {}
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
