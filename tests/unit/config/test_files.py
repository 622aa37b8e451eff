"""Reading what a person wrote, or put there instead of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from gridzero.config.files import MOST_BYTES, read_text
from gridzero.config.loader import load_text
from gridzero.config.problems import MOST_PROBLEMS, ConfigErrors
from gridzero.configured import checked
from gridzero.errors import ConfigError
from gridzero.plugins import Found, find_plugins


def test_a_pipe_without_a_writer_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "house.yaml")
    with pytest.raises(ConfigError, match="it is a pipe or a device"):
        read_text(tmp_path / "house.yaml")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_no_device_is_read(device: str, tmp_path: Path) -> None:
    (tmp_path / "house.yaml").symlink_to(device)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_text(tmp_path / "house.yaml")


def test_neither_is_a_folder_or_socket(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        read_text(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        with pytest.raises(ConfigError, match="cannot be read"):
            read_text(tmp_path / "socket")


def test_a_link_to_a_file_is_the_file(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text("site: {}")
    (tmp_path / "link.yaml").symlink_to("house.yaml")
    assert read_text(tmp_path / "link.yaml") == "site: {}"


def test_a_file_that_is_being_written_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "house.yaml"
    whole = (Path(__file__).parents[3] / "configs" / "demo.yaml").read_text()
    file.write_text(whole)
    assert checked.check_settled(file, find_plugins()).text == whole
    check = checked.check_text

    def while_somebody_writes(text: str, where: Path, found: Found) -> checked.Checked:
        file.write_text(f"{whole}control: {{mode: off}}\n")
        return check(text, where, found)

    monkeypatch.setattr(checked, "check_text", while_somebody_writes)
    with pytest.raises(ConfigError, match="changed while it was read"):
        checked.check_settled(file, find_plugins())


@pytest.mark.parametrize(
    "line", ["b{n}: [*a, *a]", "x{n}: 1", "a: 1", "k{n}: !secret k{n}", "k{n}: !nothing 1"]
)
def test_a_file_of_nothing_but_mistakes_is_given_up_early(tmp_path: Path, line: str) -> None:
    text = "".join(f"{line.format(n=n)}\n" for n in range(MOST_BYTES // 2 // len(line)))
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, tmp_path / "house.yaml", find_plugins().plugins)
    assert 1 <= len(caught.value.problems) <= MOST_PROBLEMS + 1
