"""From files and programs to evidence: good, missing, forbidden, garbage."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from machines import ADAPTER, Machine, house, pi

from gridzero.cli import main
from gridzero.config.models import MqttConfig, TlsConfig
from gridzero.doctor import tools
from gridzero.doctor.command import as_json, as_text
from gridzero.doctor.evidence import CanDetails, Evidence, Heard, House, Unseen
from gridzero.doctor.gather import machine_of
from gridzero.doctor.interfaces import details_of
from gridzero.doctor.listen import listen
from gridzero.doctor.person import Person
from gridzero.doctor.processes import lock_holder_of
from gridzero.doctor.root import Root
from gridzero.doctor.rows import examine
from gridzero.doctor.sensors import ask_sensors
from gridzero.links.embedded_broker import EmbeddedBroker
from gridzero.runtime.state_lock import only_process

KEYS = st.sampled_from(
    ["ifname", "linkinfo", "info_kind", "info_data", "state", "bittiming", "can"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=6,
)


def test_what_ip_prints_is_read() -> None:
    link = {
        "ifname": "canpsu",
        "linkinfo": {
            "info_kind": "can",
            "info_data": {
                "state": "ERROR-ACTIVE",
                "restart_ms": 100,
                "clock": 8_000_000,
                "bittiming": {"bitrate": 125_000},
            },
            "info_xstats": {"bus_off": 2},
        },
    }
    expected = CanDetails("can", "ERROR-ACTIVE", 125_000, 100, 8_000_000, 2)
    assert details_of(json.dumps([link, {}, 5])) == {"canpsu": expected}


@given(JSON | st.text(max_size=20))
@example([{"ifname": []}])
@settings(max_examples=25)
def test_whatever_ip_prints_is_evidence(printed: Any) -> None:
    told = details_of(printed if isinstance(printed, str) else json.dumps(printed))
    assert isinstance(told, Unseen | dict)


@given(st.binary(max_size=40), st.binary(max_size=40))
@settings(max_examples=12)
def test_garbage_in_every_file_ends_in_words(tmp_path_factory: Any, one: bytes, two: bytes) -> None:
    machine = pi(tmp_path_factory.mktemp("garbage"))
    for number, path in enumerate(sorted(machine.root.path.rglob("*"))):
        if path.is_file() and not path.is_symlink():
            path.write_bytes(one if number % 2 else two)
    machine.printed = {name: one.decode(errors="replace") for name in ("ip", "timedatectl")}
    findings = examine(machine.seen(house()))
    assert json.loads(as_json(findings))["findings"]
    assert as_text(findings, all_rows=True)


def test_an_empty_machine_and_one_of_folders_are_told_in_words(tmp_path: Path) -> None:
    folders = (
        "sys/class/net/can0/type",
        "proc/cmdline",
        "proc/1/cmdline",
        "proc/1/fd/0",
        "boot/firmware/config.txt",
        "proc/locks",
        "dev/serial/by-id/x",
    )
    for folder in folders:
        (tmp_path / "odd" / folder).mkdir(parents=True)
    (tmp_path / "none").mkdir()
    for root in (tmp_path / "odd", tmp_path / "none"):
        seen = machine_of(house(), Root(root), lambda _: Unseen("not installed"))
        assert as_text(examine(seen))
    assert isinstance(seen.others, Unseen)


def test_files_that_may_not_be_read_are_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    root = Root(tmp_path)
    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert root.text("/x") == Unseen("/x cannot be read: Permission denied")
    assert isinstance(root.names("/x"), Unseen)


def test_only_gridzero_itself_counts_as_one_that_runs(tmp_path: Path) -> None:
    machine = pi(tmp_path)
    machine.process(1, "/sbin/docker-init", "--", "gridzero", "run", "house.yaml")
    machine.process(2, "sudo", "gridzero", "run", "house.yaml")
    machine.process(3, "/usr/bin/python3.11", "-m", "gridzero.cli", "companion", "house.yaml")
    machine.process(4, "vi", "gridzero", "run")
    machine.process(5, "/usr/bin/python3.11", "-m", "gridzero.cli", "run", "other.yaml")
    others = machine.seen(house()).others
    assert isinstance(others, tuple)
    assert [process.pid for process in others] == [400, 5]


def test_a_link_in_a_circle_leads_somewhere(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.link("/dev/a", "b")
    machine.link("/dev/b", "a")
    assert machine.root.leads_to("/dev/a").startswith("/dev/")


def test_the_adapter_is_known_by_its_name(tmp_path: Path) -> None:
    assert pi(tmp_path).seen(house()).adapters == {ADAPTER: "/dev/ttyUSB0"}


def test_another_user_may_what_owner_group_and_others_may(tmp_path: Path) -> None:
    file = tmp_path / "port"
    file.write_text("")
    file.chmod(0o460)
    mine = file.stat()
    both = os.R_OK | os.W_OK
    assert not Person("owner", mine.st_uid or 7, frozenset({99999})).may(file, both)
    assert Person("member", 99999, frozenset({mine.st_gid})).may(file, both)
    assert not Person("stranger", 99999).may(file, both)


def test_programs_are_bounded_and_may_be_absent() -> None:
    assert tools.run(("sleep", "9"), limit_s=0.05) == Unseen("sleep gave no answer in 0.05 s")
    assert tools.run(("no-such-program",)) == Unseen("the program no-such-program is not installed")
    refusal = tools.run(("ls", "/no-such-place"))
    assert isinstance(refusal, Unseen)
    assert "no-such-place" in refusal.why


@pytest.mark.real_time
def test_the_holder_of_the_state_folder_is_found_without_trying_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert lock_holder_of(Root(), lock) is None
    with only_process(tmp_path):
        assert lock_holder_of(Root(), lock) == os.getpid()
    assert lock_holder_of(Root(), lock) is None


@pytest.mark.real_time
def test_a_port_that_another_program_holds_is_told_with_its_name(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    path = os.ttyname(theirs)
    os.close(theirs)
    hold = f"f = open({path!r}); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        seen = machine_of(on_port(path), Root(), lambda _: Unseen("not asked"))
        told = [f.verdict.text for f in examine(seen) if f.row == "device free"]
        other.communicate("\n")
    os.close(ours)
    assert f"(process {other.pid})" in told[0]


def on_port(path: str) -> House:
    wanted = house()
    links = dict(wanted.config.links)
    links["inverter"] = links["inverter"].model_copy(update={"port": path})
    return replace(wanted, config=wanted.config.model_copy(update={"links": links}))


def free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def heard_at(mqtt: MqttConfig, connect_s: float = 3.0) -> Heard:
    config = house().config.model_copy(update={"mqtt": mqtt})
    return await listen(config, connect_s=connect_s, listen_s=0.3)


def untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    pass


@pytest.mark.real_time
async def test_a_broker_that_lets_us_in_and_one_that_is_not_there() -> None:
    port = free_port()
    broker = EmbeddedBroker(port=port, report=untold)
    await broker.start()
    try:
        heard = await heard_at(MqttConfig(host="127.0.0.1", port=port))
        assert heard == Heard()
    finally:
        await broker.stop()
    heard = await heard_at(MqttConfig(host="127.0.0.1", port=port), 0.5)
    assert "refused" in heard.trouble
    assert heard.remedy.startswith("Check that the broker runs there")


@pytest.mark.real_time
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
async def test_a_certificate_of_nobody_known_is_told_as_one(tmp_path: Path) -> None:
    crt, key = tmp_path / "s.crt", tmp_path / "s.key"
    curve = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    await _done("openssl", *curve.split(), *name, "-keyout", str(key), "-out", str(crt))
    async with mosquitto_with(
        tmp_path, f"certfile {crt}\nkeyfile {key}\nallow_anonymous true"
    ) as port:
        known = MqttConfig(host="127.0.0.1", port=port, tls=TlsConfig(ca_file=str(crt)))
        assert (await heard_at(known)).trouble == ""
        heard = await heard_at(MqttConfig(host="127.0.0.1", port=port, tls=TlsConfig()))
    assert heard.remedy.startswith("Check tls")
    gc.collect()  # paho leaves the socket of a failed handshake to the garbage collector


@asynccontextmanager
async def mosquitto_with(folder: Path, settings: str) -> AsyncIterator[int]:
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    port, config = free_port(), folder / "mosquitto.conf"
    config.write_text(f"user root\nlistener {port} 127.0.0.1\n{settings}\n")
    broker = await asyncio.create_subprocess_exec(
        "mosquitto", "-c", str(config), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield port
    finally:
        broker.terminate()
        await broker.wait()


async def _done(*command: str) -> None:
    done = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    assert await done.wait() == 0


@pytest.mark.real_time
@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto is not installed")
async def test_a_wrong_password_is_told_as_one(tmp_path: Path) -> None:
    words = tmp_path / "words"
    await _done("mosquitto_passwd", "-c", "-b", str(words), "gz", "secret")
    async with mosquitto_with(tmp_path, f"allow_anonymous false\npassword_file {words}") as port:
        sign_in = {"host": "127.0.0.1", "port": port, "username": "gz"}
        good = await heard_at(MqttConfig.model_validate(sign_in | {"password": "secret"}))
        wrong = await heard_at(MqttConfig.model_validate(sign_in | {"password": "other"}))
    assert good.trouble == ""
    assert "password" in wrong.remedy


async def test_the_i2c_bus_is_left_alone_while_gridzero_runs(tmp_path: Path) -> None:
    machine = pi(tmp_path)
    busy = await ask_sensors(machine.seen(house()))
    assert [isinstance(answer, Unseen) for answer in busy.values()] == [True]
    machine.end(400)
    machine.file("/proc/locks", "")
    machine.root.at("/dev/i2c-1").unlink()
    gone = await ask_sensors(machine.seen(house()))
    assert gone == {("sensors", 0x48): Unseen("its bus cannot be opened")}


def test_the_keys_of_the_json_are_stable() -> None:
    told = json.loads(as_json(examine(Evidence(python_can=None, now_s=0.0))))
    assert set(told) == {"ok", "findings"}
    assert all(set(row) == {"row", "subject", "level", "text", "mend"} for row in told["findings"])
    assert told["ok"] is False


@pytest.mark.real_time
def test_the_command_looks_at_this_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("site: {}\n")
    assert main(["doctor", str(broken), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["findings"][0]["row"] == "file"
    assert told["findings"][0]["level"] == "bad"
