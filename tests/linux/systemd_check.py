"""The unit of ``gridzero setup`` under a real systemd, in a guest of user-mode Linux.

``make systemd-test`` calls it. The files are written by ``gridzero setup --write`` into the guest,
where nothing lasts; gridzero is the one of this checkout. It prints what was seen as JSON; the
exit code is 1 when the unit does not keep what docs/doctor.md says, 0 also where it cannot run.
"""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import site
import subprocess
import sys
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
GUEST = Path(__file__).with_name("guest.py")
HERE = "GRIDZERO_GUEST"
BOOTED = "GRIDZERO_BOOTED"
INSTALLED = Path("/opt/gridzero")
HOUSE = Path("/etc/gridzero/house.yaml")
UNIT = "gridzero.service"
PYTHON = "/usr/bin/python3"
SYSTEMD = "/lib/systemd/systemd"
PATIENCE_S = 60.0
TEXT = """
site: {name: Guest, state_dir: /var/lib/gridzero, log: {format: json}}
links:
  bus: {type: can, channel: vcan0}
  inverter: {type: serial, port: /dev/rs485}
devices:
  meter: {driver: mqtt_meter, topic: meterbox/grid}
  battery: {driver: vw_gte, buses: {a: {link: bus, modules: [1]}}}
  inverter: {driver: soyosource, link: inverter}
history: {enabled: true}
"""


def call(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def ask(*names: str) -> dict[str, str]:
    """Properties of the unit."""
    said = call("systemctl", "show", UNIT, "--property", ",".join(names))
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def until(condition: Callable[[], bool], what: str) -> float:
    """Seconds until it came true."""
    began_s = time.monotonic()
    while not condition():
        if time.monotonic() - began_s > PATIENCE_S:
            print(call("systemctl", "list-jobs"), call("systemctl", "is-system-running"))
            print(call("journalctl", "--no-pager", "-n", "60", "-u", UNIT))
            print(call("systemctl", "status", "--no-pager", UNIT))
            sys.exit(f"not within {PATIENCE_S:g} s: {what}")
        time.sleep(0.1)
    return round(time.monotonic() - began_s, 1)


def is_active() -> bool:
    return ask("ActiveState") == {"ActiveState": "active"}


def restarted(since: int) -> bool:
    return restarts() > since and is_active()


def restarts() -> int:
    """How often systemd has started it again; 0 also where it does not answer now."""
    return int(ask("NRestarts").get("NRestarts", "0"))


def main_pid() -> int:
    return int(ask("MainPID")["MainPID"])


def install() -> None:
    """A Python of this machine that sees the checkout and its libraries, for everybody."""
    call(PYTHON, "-m", "venv", "--without-pip", str(INSTALLED))
    packages = next(INSTALLED.glob("lib/python3*/site-packages"))
    seen = [str(ROOT / "src"), str(ROOT / "drivers"), *site.getsitepackages()]
    (packages / "gridzero.pth").write_text("\n".join(seen) + "\n")
    program = INSTALLED / "bin" / "gridzero"
    program.write_text(
        f"#!{INSTALLED}/bin/python\nimport sys\nfrom gridzero.cli import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)


def prepare() -> int:
    """Files, user, bus and port of one house; returns our end of the port."""
    install()
    HOUSE.parent.mkdir(exist_ok=True)
    HOUSE.write_text(TEXT)
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    port = Path(os.ttyname(theirs))
    port.chmod(0o660)
    shutil.chown(port, group="dialout")
    Path("/dev/rs485").symlink_to(port)
    gridzero = str(INSTALLED / "bin" / "gridzero")
    print(call(gridzero, "setup", str(HOUSE), "--write").splitlines()[-1])
    call("systemd-sysusers")
    return ours


def boot() -> int:
    """systemd as the first process of a namespace, this program beside it; returns its exit code.

    Both must be in one: systemd answers nobody whose process number it cannot see.
    """
    call("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
    Path("/etc/machine-id").write_text("0" * 31 + "1\n")
    # cleans the folders of this whole machine, which takes minutes in a guest
    Path("/etc/systemd/system/systemd-tmpfiles-setup.service").symlink_to("/dev/null")
    # a container: no devices to look for, no console to ask at
    environment = {**os.environ, "container": "guest", BOOTED: "1"}
    first = '"$@" >/opt/said 2>&1; echo $? >/opt/code'
    begin = f"({first}) & exec {SYSTEMD} --system --unit=basic.target --log-target=null"
    command = ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "sh", "-c", begin, "sh"]
    systemd = subprocess.Popen(
        [*command, sys.executable, __file__], env=environment, stdin=subprocess.DEVNULL
    )
    said, code = Path("/opt/said"), Path("/opt/code")
    while not code.exists() and systemd.poll() is None:
        time.sleep(0.2)
    print(said.read_text())
    return int(code.read_text()) if code.exists() else 1


def children() -> list[int]:
    words = call("systemctl", "show", UNIT, "--property", "ControlGroup", "--value")
    return [int(line) for line in Path(f"/sys/fs/cgroup{words}/cgroup.procs").read_text().split()]


def look() -> dict[str, Any]:
    facts: dict[str, Any] = {"systemd": call("systemctl", "--version").splitlines()[0]}
    began_s = time.monotonic()
    if said := call("systemctl", "start", "--no-block", UNIT):
        print(said, call("journalctl", "--no-pager", "-n", "40", "-u", UNIT))
    until(is_active, "the unit is active")
    facts["start_to_ready_s"] = round(time.monotonic() - began_s, 1)
    facts["active"] = is_active()
    environment = ask("Environment")["Environment"].split()
    facts["health"] = call("env", *environment, str(INSTALLED / "bin" / "gridzero"), "healthcheck")
    until(lambda: len(children()) > 1, "the companion is there")
    status = Path(f"/proc/{main_pid()}/status").read_text()
    facts["uid"] = int(re.findall(r"^Uid:\s+(\d+)", status, re.MULTILINE)[0])
    facts["capabilities"] = re.findall(r"^CapBnd:\s+(\w+)", status, re.MULTILINE)[0]
    facts["seccomp"] = re.findall(r"^Seccomp:\s+(\d)", status, re.MULTILINE)
    for name, number in (("stopped", signal.SIGSTOP), ("killed", signal.SIGKILL)):
        before = restarts()
        call("systemctl", "kill", "--kill-who=main", f"--signal={number.name}", UNIT)
        facts[f"{name}_back_s"] = until(lambda now=before: restarted(now), f"back after {name}")
    began_s = time.monotonic()
    call("systemctl", "stop", UNIT)
    facts["stop_s"] = round(time.monotonic() - began_s, 1)
    facts["stop"] = ask("Result", "ExecMainStatus", "ActiveState")
    HOUSE.write_text("devices: 7\n")
    call("systemctl", "start", UNIT)
    time.sleep(5)
    facts["config_error"] = ask("Result", "ExecMainStatus", "ActiveState", "NRestarts")
    return facts


def problems(facts: dict[str, Any]) -> list[str]:
    kept = {
        "it did not become ready": facts["active"],
        f"the health check says {facts['health']}": facts["health"].startswith("sending"),
        "it runs as root": facts["uid"] != 0,
        "it could have capabilities": int(facts["capabilities"], 16) == 0,
        f"it stopped as {facts['stop']}": facts["stop"]
        == {"Result": "success", "ExecMainStatus": "0", "ActiveState": "inactive"},
        f"with a wrong file: {facts['config_error']}": facts["config_error"]["ActiveState"]
        == "failed"
        and facts["config_error"]["ExecMainStatus"] == "2",
    }
    return [what for what, is_kept in kept.items() if not is_kept]


def inside() -> int:
    until(lambda: ask("LoadState") == {"LoadState": "loaded"}, "systemd answers")
    facts = look()
    print(json.dumps(facts, indent=1))
    found = problems(facts)
    for problem in found:
        print(f"not kept: {problem}")
    return 1 if found else 0


def why_not() -> str | None:
    """Why it cannot be tried here; None = it can. The guest's user is nobody in particular."""
    if not Path(SYSTEMD).exists():
        return "systemd is not installed (apt-get install systemd)"
    if not all(folder.stat().st_mode & 0o001 for folder in ROOT.parents):
        return f"{ROOT} cannot be reached by everybody"
    said = call(PYTHON, "-c", "import sys, venv; print(*sys.version_info[:2])")
    if said.split() != [str(part) for part in sys.version_info[:2]]:
        return f"{PYTHON} is not the Python of this environment, whose libraries it shall use"
    return None


def main() -> int:
    if BOOTED in os.environ:
        return inside()
    if HERE in os.environ:
        _keep = prepare()
        return boot()
    if reason := why_not():
        print(f"skipped: {reason}")
        return 0
    command = [sys.executable, str(GUEST), "--limit", "400", "--", sys.executable, __file__]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
