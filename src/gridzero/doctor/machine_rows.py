"""The machine itself: file, clock, disk, how many gridzeros, programs, broker, Home Assistant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from gridzero.doctor.evidence import Evidence, Heard, Unseen
from gridzero.doctor.verdict import Verdict, bad, ok, unknown, warn

OLDEST_GOOD = datetime(2024, 1, 1, tzinfo=UTC)
_LITTLE_BYTES = 500_000_000
_TOO_LITTLE_BYTES = 50_000_000
_PYTHON_CAN = (4, 6)


def file(evidence: Evidence) -> Iterator[Verdict]:
    """The configuration can be read."""
    if evidence.config_problem:
        yield bad("", evidence.config_problem, "gridzero check FILE tells everything")
    elif evidence.house is not None:
        yield ok(evidence.house.file, "is a good configuration")
    else:
        yield unknown(
            "", "no file was given: only the machine is looked at", "gridzero doctor FILE"
        )


def clock(evidence: Evidence) -> Iterator[Verdict]:
    """The time of day is right."""
    if evidence.now_s < OLDEST_GOOD.timestamp():
        yield bad("time", "the clock stands before 2024: TLS and history fail", _TIME)
    else:
        yield ok("time", "the clock is after 2023")
    synchronised = evidence.is_synchronised
    if synchronised is None or isinstance(synchronised, Unseen):
        why = synchronised.why if isinstance(synchronised, Unseen) else "nobody tells"
        yield unknown("synchronised", f"whether it follows a time server: {why}")
    elif synchronised:
        yield ok("synchronised", "it follows a time server")
    else:
        yield warn("synchronised", "it follows no time server", _TIME)


_TIME = "sudo timedatectl set-ntp true; check the network; timedatectl tells more"


def disk(evidence: Evidence) -> Iterator[Verdict]:
    """There is room for the state, and it may be written."""
    folder = evidence.folder
    if isinstance(folder, Unseen):
        yield unknown("state folder", folder.why)
    if folder is None or isinstance(folder, Unseen):
        return
    mb = folder.free_bytes // 1_000_000
    if folder.is_read_only:
        mend = "sudo mount -o remount,rw / ; dmesg | grep -i mmc tells whether the card is worn out"
        yield bad(folder.path, "is on a read-only file system", mend)
    elif not folder.may_write:
        user = evidence.user or "USER"
        is_there = folder.path == folder.wanted
        make = f"sudo install -d -o {user} {folder.wanted}"
        mend = f"sudo chown -R {user} {folder.path}" if is_there else make
        yield bad(folder.path, f"{evidence.user or 'this user'} may not write there", mend)
    else:
        yield ok(folder.path, "may be written")
    if folder.free_bytes < _LITTLE_BYTES:
        say = bad if folder.free_bytes < _TOO_LITTLE_BYTES else warn
        mend = "sudo journalctl --vacuum-size=100M; sudo apt clean; gridzero history info"
        yield say("free space", f"{mb} MB are free", mend)
    else:
        yield ok("free space", f"{mb} MB are free")


def alone(evidence: Evidence) -> Iterator[Verdict]:
    """No second gridzero commands the same house."""
    others = evidence.others
    if isinstance(others, Unseen):
        yield unknown("", others.why)
    elif len(others) > 1:
        told = ", ".join(str(process.pid) for process in others)
        mend = "systemctl status PID tells who started it; end all but one"
        yield bad("", f"{len(others)} of them run (processes {told})", mend)
    elif others:
        yield ok("", f"one runs (process {others[0].pid})")
    else:
        yield ok("", "none runs, so none is too many")


def running(evidence: Evidence) -> Iterator[Verdict]:
    """Gridzero is at work and says so."""
    heard = evidence.heard
    if evidence.house is None:
        return
    start = "sudo systemctl start gridzero, or gridzero run FILE"
    if not isinstance(heard, Heard) or heard.trouble:
        yield from _unheard(evidence)
    elif heard.state is not None:
        yield ok("", "is running and speaks")
    elif heard.status == "online":
        mend = "journalctl -u gridzero -n 50 tells; sudo systemctl restart gridzero"
        yield bad("", "says that it is online, but not one state came while listening", mend)
    elif isinstance(evidence.lock_holder, int):
        mend = "Check section mqtt: is it the broker that gridzero uses?"
        yield warn("", f"process {evidence.lock_holder} runs, but is not heard", mend)
    else:
        yield warn("", "is not running", start)


def _unheard(evidence: Evidence) -> Iterator[Verdict]:
    if isinstance(evidence.lock_holder, int):
        yield ok("", f"is running (process {evidence.lock_holder}); it was not listened to")
    elif evidence.lock_holder is None:
        yield warn("", "is not running", "sudo systemctl start gridzero, or gridzero run FILE")
    else:
        yield unknown("", "whether it runs cannot be seen")


def broker(evidence: Evidence) -> Iterator[Verdict]:
    """The broker can be reached with this name, password and certificate."""
    heard = evidence.heard
    if evidence.house is None or heard is None:
        return
    mqtt = evidence.house.config.mqtt
    where = f"{mqtt.host}:{mqtt.port}" if mqtt.host else "embedded"
    if isinstance(heard, Unseen):
        yield unknown(where, heard.why)
    elif not heard.trouble:
        yield ok(where, "lets gridzero in" + (" over TLS" if mqtt.tls else ""))
    elif mqtt.is_embedded and not evidence.is_running:
        yield unknown(where, "gridzero brings it along, and is not running")
    else:
        yield bad(where, heard.trouble, heard.remedy)


def home_assistant(evidence: Evidence) -> Iterator[Verdict]:
    """Home Assistant was there when it last said something."""
    heard = evidence.heard
    if evidence.house is None or not evidence.house.config.home_assistant.enabled:
        return
    if not isinstance(heard, Heard) or heard.trouble:
        return
    topic = evidence.house.config.home_assistant.birth_topic
    if heard.home_assistant == "online":
        yield ok(topic, "it says that it is online")
    elif heard.home_assistant is not None:
        yield warn(topic, f"it said {heard.home_assistant!r}", "Start Home Assistant")
    else:
        mend = "MQTT integration, Configure, birth message: switch Retain on, and this is seen"
        yield unknown(topic, "silent: Home Assistant says so only when it starts", mend)


def programs(evidence: Evidence) -> Iterator[Verdict]:
    """python-can is one that gridzero was tested with."""
    version = evidence.python_can
    if version is None:
        yield bad("python-can", "is not installed", "pip install --upgrade gridzero")
        return
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if numbers < _PYTHON_CAN:
        mend = "pip install --upgrade gridzero"
        yield warn("python-can", f"{version} is older than what gridzero needs", mend)
    else:
        yield ok("python-can", version)
