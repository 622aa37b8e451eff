"""What a shed does to a house: everything goes and comes in any order, and the clock is wrong.

Nobody helps it; each test ends with the grid held again.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from free_ports import free_port
from linux_kernel import measured, sh, wait_for
from name_server import name_server
from shed_house import MOSQUITTO, Shed

sys.path.insert(0, str(Path(__file__).parents[1] / "mosquitto"))

from certificates import Authority

pytestmark = [
    pytest.mark.real_time,
    pytest.mark.skipif(not Path(MOSQUITTO).exists(), reason="no mosquitto (make mosquitto)"),
]

LOAD_W = 500.0
PATIENCE_S = 90.0  # a whole start on a busy machine
SEED = int(os.environ.get("GRIDZERO_SHED_SEED", "1"))
TURNS = 8
SLACK_S = 5.0  # of a goal, for a machine with other work; the table shows what was seen


@pytest.fixture
def shed(tmp_path: Path) -> Iterator[Shed]:
    shed = Shed(tmp_path)
    yield shed
    shed.close()


@pytest.fixture
def real_time_of_day() -> Iterator[float]:
    """The clock of the guest is the test's own; it is put right at the end."""
    ahead_s = time.time() - time.monotonic()
    yield ahead_s
    set_clock(time.monotonic() + ahead_s)


def set_clock(utc_s: float) -> None:
    sh(f"date -s @{utc_s:.3f}")


def everything_on(shed: Shed) -> None:
    shed.wires_on()
    shed.broker_on()
    shed.devices_on()
    shed.gridzero_on()
    until_served(shed)


def until_served(shed: Shed) -> float:
    """Seconds until a load is answered."""
    began_s = time.monotonic()
    wait_for(shed.truth, PATIENCE_S, "the devices")
    shed.load(LOAD_W)
    shed.until_held(PATIENCE_S)
    return time.monotonic() - began_s


def test_all_are_told_to_end_at_once_and_the_broker_is_the_first_to_go(shed: Shed) -> None:
    """As ``docker compose stop`` and a shutdown of the Pi do."""
    everything_on(shed)
    for pause_s in (0.5, 0.0):
        shed.broker_off(signal.SIGTERM)
        time.sleep(pause_s)
        began_s = time.monotonic()
        assert shed.gridzero_off() == 0
        ended_s = time.monotonic() - began_s
        wait_for(shed.is_idle, 5.0)
        measured(f"broker gone {pause_s:g} s before SIGTERM: ended, power 0", None, ended_s)
        assert ended_s < 30.0, "the grace period of docker/compose.yaml is 45 s"
        assert "Traceback" not in shed.site_err()
        shed.broker_on()
        shed.gridzero_on()
        shed.until_held(PATIENCE_S)


@pytest.mark.slow
def test_stopped_and_continued_it_believes_nothing_old_and_goes_on(shed: Shed) -> None:
    """``docker pause``, a debugger, a machine that swaps: 1 s, 5 s, 20 s."""
    everything_on(shed)
    for still_s in (1.0, 5.0, 20.0):
        assert shed.site is not None
        shed.site.popen.send_signal(signal.SIGSTOP)
        time.sleep(still_s)
        is_idle = shed.is_idle()
        shed.site.popen.send_signal(signal.SIGCONT)
        assert is_idle == (still_s > 3.0)
        time.sleep(1.0)
        if shed.site.popen.poll() == 75:  # it stood still, and systemd or Docker starts it again
            shed.gridzero_on()
        measured(
            f"gridzero stopped for {still_s:g} s, then continued: grid held",
            None,
            until_served(shed),
        )
        assert "Traceback" not in shed.site_err()


def test_at_1970_a_certificate_is_not_good_yet_and_the_right_time_heals_it(
    tmp_path: Path, real_time_of_day: float
) -> None:
    authority, secure = Authority(tmp_path), free_port()
    server = authority.sign("broker")
    shed = Shed(tmp_path, port=secure, tls={"ca_file": str(authority.file)})
    shed.broker_lines += f"""listener {secure} 127.0.0.1
cafile {authority.file}
certfile {server.cert_file}
keyfile {server.key_file}
"""
    set_clock(time.monotonic() + 60.0)  # the kernel refuses a start before 1970
    try:
        shed.wires_on()
        shed.broker_on()
        shed.devices_on()
        shed.gridzero_on()
        wait_for(lambda: "not yet valid" in shed.site_err(), PATIENCE_S)
        assert "Check tls: the authority's certificate, the host name and the clock" in (
            shed.site_err()
        )
        time.sleep(20.0)  # as long as it takes, it is tried again every few seconds
        shed.load(LOAD_W)
        assert shed.is_idle()
        set_clock(time.monotonic() + real_time_of_day)
        began_s = time.monotonic()
        wait_for(lambda: shed.state, 30.0)
        heard_s = time.monotonic() - began_s
        measured("clock set right by 56 years: the broker's certificate is good", None, heard_s)
        assert heard_s < 10.0
        until_served(shed)
        assert not shed.faults()
        assert shed.gridzero_off() == 0
        assert "Traceback" not in shed.site_err()
    finally:
        shed.close()


@pytest.mark.slow
def test_a_router_that_takes_broker_and_names_along_costs_no_more_than_the_broker(
    tmp_path: Path,
) -> None:
    with name_server(tmp_path) as names:
        shed = Shed(tmp_path, host="broker.lan")
        try:
            everything_on(shed)
            for off_s in (2.0, 9.0, 21.0):
                names.answers = False
                shed.broker_off()
                time.sleep(off_s)
                shed.broker_on()
                names.answers = True
                began_s, heard = time.monotonic(), len(shed.states)
                wait_for(lambda heard=heard: len(shed.states) > heard, 30.0)
                healed_s = time.monotonic() - began_s
                measured(f"broker and name server gone for {off_s:g} s: heard", None, healed_s)
                assert healed_s < 5.0 + SLACK_S
                shed.until_held(PATIENCE_S)
        finally:
            shed.close()


@pytest.mark.slow
def test_a_night_of_outages_in_any_order_ends_in_a_house_that_serves(shed: Shed) -> None:
    """GRIDZERO_SHED_SEED: another night."""
    dice = random.Random(SEED)
    everything_on(shed)
    on = dict.fromkeys(("broker", "wires", "devices", "gridzero"), True)
    for _ in range(TURNS):
        name = dice.choice(list(on))
        getattr(shed, f"{name}_{'off' if on[name] else 'on'}")()
        on[name] = not on[name]
        time.sleep(dice.choice((0.2, 1.0, 3.0, 8.0)))
    for name in dice.sample(list(on), len(on)):
        if not on[name]:
            getattr(shed, f"{name}_on")()
    healed_s = until_served(shed)
    measured(f"a night of outages (seed {SEED}): from the last thing on to held", None, healed_s)
    wait_for(lambda: not shed.faults(), 60.0)
    shed.until_held(30.0)
    assert "Traceback" not in "".join(shed.errs())
