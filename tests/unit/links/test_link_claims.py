"""What one process commands, no second one commands, and the first notices nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridzero.config.loader import load_text
from gridzero.errors import HeldError
from gridzero.links.claims import Claim, claimed, device_claim
from gridzero.plugins import load_plugins
from gridzero.real_links import claims_of

HOLDER = """
import sys
from gridzero.links.claims import Claim, claimed
with claimed([Claim(sys.argv[1], "it", "test")]):
    print("holds", flush=True)
    sys.stdin.read()
"""


WITHOUT_SOCKETS = """
import os, resource
from gridzero.links.claims import Claim, claimed
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
with claimed([Claim("test/none", "it", "test")]):
    print("goes on")
"""


@pytest.fixture
def key() -> str:
    return f"test/{os.getpid()}"


def test_a_second_claim_is_refused_with_a_cure_and_free_again_afterwards(key: str) -> None:
    mine = Claim(key, "the CAN interface can0", "links.bus")
    other = Claim(f"{key}-b", "other", "links.other")
    with claimed([mine]):
        with pytest.raises(HeldError) as refused, claimed([other, mine]):
            pass
        assert "links.bus: another gridzero commands the CAN interface can0 already" in str(
            refused.value
        )
        assert "End that one first" in refused.value.remedy
        with claimed([other]):
            """A refused start holds nothing."""
    with claimed([mine, mine]):
        """The same thing twice in one house is one claim."""


@pytest.mark.real_time
def test_where_no_socket_can_be_made_a_claim_stops_nothing() -> None:
    """A sandbox without Unix sockets, or no descriptors left: the state folder's lock remains."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SOCKETS],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.splitlines()[-1] == "goes on", done.stderr
    assert "claim.impossible" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.real_time
def test_a_killed_process_leaves_no_claim(key: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holds\n"
        claim = Claim(key, "it", "test")
        with pytest.raises(HeldError, match="another gridzero"), claimed([claim]):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with claimed([claim]):
            """Nobody is in the way."""


@pytest.fixture
def pty() -> Iterator[str]:
    far, near = os.openpty()
    yield os.ttyname(near)
    os.close(far)
    os.close(near)


def test_one_port_is_one_claim_by_whatever_name(pty: str, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(pty)
    first, second = device_claim(pty, "a"), device_claim(str(link), "b")
    assert first is not None
    assert second is not None
    assert first.key == second.key


def test_a_device_has_the_same_claim_in_each_container_and_a_pseudo_terminal_its_own(
    pty: str,
) -> None:
    null, wire = device_claim("/dev/null", "a"), device_claim(pty, "b")
    assert null is not None
    assert null.key == "device/1:3"
    assert wire is not None
    assert wire.key.endswith(f"@{Path(pty).stat().st_dev}")


@pytest.mark.parametrize("path", ["/dev/gridzero-none", "/", "/dev/nul\0"])
def test_what_is_no_device_is_no_claim(path: str) -> None:
    assert device_claim(path, "links.inverter") is None


HOUSE = """
site: {name: Test, state_dir: state}
links:
  bus: {type: can, channel: can0}
  far: {type: can, interface: socketcand, channel: can1, options: {host: pi, port: 29536}}
  bench: {type: can, interface: virtual, channel: x}
  wire: {type: serial, port: PTY}
  adapter: {type: can, interface: slcan, channel: "PTY@115200"}
  sensors: {type: i2c, bus_number: 250}
devices:
  meter: {driver: mqtt_meter, topic: a/b}
  battery: {driver: vw_gte, buses: {a: {link: bus, modules: [1]}}}
  inverter: {driver: soyosource, link: wire}
  rectifier: {driver: vertiv_r48, link: adapter}
"""


def test_what_a_house_commands_is_claimed_but_nothing_virtual_or_missing(pty: str) -> None:
    loaded = load_text(HOUSE.replace("PTY", pty), Path("house.yaml"), load_plugins())
    claims = {claim.where: claim.key for claim in claims_of(loaded.config)}
    wire = device_claim(pty, "links.wire")
    assert wire is not None
    assert claims == {
        "links.bus": "can/can0",
        "links.far": "socketcand/pi:29536/can1",
        "links.wire": wire.key,
        "links.adapter": wire.key,
    }
