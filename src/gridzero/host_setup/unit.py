"""The systemd unit: systemd.service(5), systemd.exec(5), systemd.resource-control(5).

gridzero needs no capability: CAN_RAW sockets want none, and devices are opened by group.
Not set: MemoryDenyWriteExecute=, because libffi (the dashboard's and SSH's libraries) may need it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gridzero.config.links import GpioLinkConfig, I2cLinkConfig, SerialLinkConfig
from gridzero.config.models import Config
from gridzero.errors import ConfigError
from gridzero.links.alive_file import VARIABLE
from gridzero.runtime.exit_codes import ExitCode

_ALIVE = "gridzero/alive"
"""In memory, below /run; the health check on the host reads it there."""

_AGAIN = (ExitCode.AGAIN, ExitCode.HELD, ExitCode.CRASHED, ExitCode.HUNG)
_LIB = "/var/lib/"

_HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
PrivateTmp=yes
PrivateMounts=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_CAN
UMask=0027
"""


def unit_text(config: Config, file: Path, program: str, groups: tuple[str, ...]) -> str:
    """The whole unit. Raises ConfigError for paths that cannot stand in one."""
    state = config.site.state_dir
    for path in (program, str(file), state):
        _check(path)
    lines = [
        *_readiness(config),
        *_head(program, file),
        *_places(state, program, file),
        *_devices(config),
    ]
    if groups:
        lines.append(f"SupplementaryGroups={' '.join(groups)}")
    body = "\n".join(lines)
    return f"{_UNIT}\n{body}\n\n{_HARDENING}\n[Install]\nWantedBy=multi-user.target\n"


_UNIT = """\
[Unit]
Description=gridzero: holds the house's grid power at zero
Documentation=man:systemd.service(5)
Wants=network-online.target
After=network-online.target systemd-networkd.service mosquitto.service time-sync.target
StartLimitIntervalSec=0

[Service]"""


def _check(path: str) -> None:
    """A whole path of harmless characters: specifiers, quotes and spaces mean something here."""
    plain = path.startswith("/") and not set(path) & set("%\"'\\$; \t\n") and path.isprintable()
    if not plain:
        raise ConfigError(
            f"{path!r} cannot stand in a unit",
            where="setup",
            remedy="Use whole paths without spaces and signs: /var/lib/gridzero for site.state_dir",
        )


def _head(program: str, file: Path) -> Iterator[str]:
    """WatchdogSec and TimeoutStopSec: docs/contactor.md. Exit code 2: no retry would help."""
    again = " ".join(str(int(code)) for code in _AGAIN)
    yield f"ExecStart={program} run {file}"
    yield f"ExecReload={program} reload {file}"
    yield "User=gridzero"
    yield "Group=gridzero"
    yield "TimeoutStopSec=40"
    yield "Restart=on-failure"
    yield "RestartSec=2"
    yield f"RestartForceExitStatus={again}"
    yield f"RestartPreventExitStatus={int(ExitCode.CONFIG)}"
    yield "OOMScoreAdjust=-500"


def _readiness(config: Config) -> Iterator[str]:
    """Only where gridzero tells systemd how it is may systemd end it for not telling."""
    if config.watchdog.systemd == "off":
        yield "Type=exec"
    else:
        # Only of the main process: what people look at must not speak for control
        yield from ("Type=notify", "NotifyAccess=main", "WatchdogSec=15", "TimeoutStartSec=120")


def _places(state: str, program: str, file: Path) -> Iterator[str]:
    """Where it may write, and whether it is installed below somebody's home."""
    if state.startswith(_LIB):
        yield f"StateDirectory={state.removeprefix(_LIB)}"
    else:
        yield f"ReadWritePaths={state}"
    yield f"RuntimeDirectory={_ALIVE.partition('/')[0]}"
    yield f"Environment={VARIABLE}=/run/{_ALIVE}"
    homes = ("/home/", "/root/")
    at_home = program.startswith(homes) or str(file).startswith(homes)
    yield f"ProtectHome={'read-only' if at_home else 'yes'}"


def _devices(config: Config) -> Iterator[str]:
    """Names of classes are those of /proc/devices."""
    kinds = {type(link) for link in config.links.values()}
    yield "DevicePolicy=closed"
    if SerialLinkConfig in kinds:
        yield from (f"DeviceAllow=char-{tty} rw" for tty in ("ttyUSB", "ttyACM", "ttyAMA", "ttyS"))
    if I2cLinkConfig in kinds:
        yield "DeviceAllow=char-i2c rw"
    if GpioLinkConfig in kinds:
        yield "DeviceAllow=char-gpiochip rw"
    if config.watchdog.hardware is not None:
        yield f"DeviceAllow={config.watchdog.hardware} rw"
