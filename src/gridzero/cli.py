"""The command line: thin, and quick to import.

A command is a row of COMMANDS. Its function imports what it needs when it runs, and returns the
exit code: 0 all is well, 1 there are findings, 2 the call or a configuration is wrong.
"""

# ruff: noqa: PLC0415 - each command imports what it needs when it runs

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gridzero import __version__
from gridzero.errors import GridzeroError, HeldError
from gridzero.runtime.exit_codes import ExitCode

if TYPE_CHECKING:
    from gridzero.plugins import Found

_INTERRUPTED = 130  # 128 + SIGINT, as shells count


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand."""

    group: str
    name: str
    summary: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    _open_standard_streams()
    _print_anything()
    _look_up_names_quickly()
    try:
        return _run(argv)
    except SystemExit as ending:  # argparse has said what is wrong, or shown its help
        return ending.code if isinstance(ending.code, int) else ExitCode.CONFIG
    except GridzeroError as error:
        _complain(str(error))
        return ExitCode.HELD if isinstance(error, HeldError) else ExitCode.CONFIG
    except BrokenPipeError:
        _drop_output()
        return ExitCode.FINDINGS
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    code = run(arguments)
    sys.stdout.flush()  # here, where a reader that has gone away is still handled
    return code


def _open_standard_streams() -> None:
    """Give closed ones a place to go: else the next bus would be opened as the standard error."""
    for number, mode, name in ((0, "r", "stdin"), (1, "w", "stdout"), (2, "w", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - for ever


def _print_anything() -> None:
    """Let names of files and vectors hold characters that the terminal does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _look_up_names_quickly() -> None:
    """A broker that is back is found again at once, also when the name server was gone with it.

    glibc alone waits 5 s for each answer (resolv.conf(5): timeout, attempts). What the owner has
    set in RES_OPTIONS stays.
    """
    os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:2")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gridzero",
        usage="gridzero COMMAND ...",
        description="Holds a house's grid power at zero.",
        epilog=_overview(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gridzero {__version__}")
    commands = parser.add_subparsers(
        prog="gridzero", metavar="COMMAND", required=True, help=argparse.SUPPRESS
    )
    for command in COMMANDS:
        sub = commands.add_parser(command.name, description=f"{command.summary}.")
        command.arguments(sub)
        sub.set_defaults(run=command.run)
    return parser


def _overview() -> str:
    """Every command in a line, below whom it is for."""
    groups = dict.fromkeys(command.group for command in COMMANDS)
    width = max(len(command.name) for command in COMMANDS)
    return (
        "\n\n".join(
            "\n".join(
                (
                    f"{group}:",
                    *(f"  {c.name:<{width}}  {c.summary}" for c in COMMANDS if c.group == group),
                )
            )
            for group in groups
        )
        + "\n\ngridzero COMMAND --help says more of each."
    )


def _complain(text: str) -> None:
    print(text, file=sys.stderr)


def _drop_output() -> None:
    """Let the interpreter's last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _no_arguments(_parser: argparse.ArgumentParser) -> None:
    pass


def _files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")


def _vector_arguments(parser: argparse.ArgumentParser) -> None:
    _files(parser)
    parser.add_argument("--driver", help="instead of the one that the file is named after")


def _found() -> Found:
    """All drivers; complains about broken ones."""
    from gridzero.plugins import find_plugins

    found = find_plugins()
    for error in found.broken.values():
        _complain(str(error))
    return found


def _check(arguments: argparse.Namespace) -> int:
    """Check configuration files; each problem is a line."""
    from gridzero.commands.check import check_file

    found = _found()
    codes = [check_file(file, found) for file in arguments.files]
    return max(codes)


def _schema(_arguments: argparse.Namespace) -> int:
    from gridzero.config.schema import schema_text

    print(schema_text(_found().plugins))
    return ExitCode.ASKED


def _drivers(_arguments: argparse.Namespace) -> int:
    found = _found()
    width = max(map(len, found.plugins), default=0)
    for name, plugin in found.plugins.items():
        print(f"{name:{width}}  {plugin.role.value:8}  {plugin.summary}")
    return ExitCode.FINDINGS if found.broken else ExitCode.ASKED


def _vectors(arguments: argparse.Namespace) -> int:
    found = _found()
    codes = [_check_vectors(file, found, arguments.driver) for file in arguments.files]
    return max(codes)


def _check_vectors(file: Path, found: Found, driver: str | None) -> int:
    from gridzero.vectors import check_file

    try:
        report = check_file(file, found.plugins, driver)
    except GridzeroError as error:
        _complain(str(error))
        return ExitCode.CONFIG
    for name, differs in report.mismatches:
        print(f"{file}: {name}: {differs}")
    print(f"{file}: {report.passed} passed, {report.failed} failed")
    return ExitCode.FINDINGS if report.failed else ExitCode.ASKED


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="FILE")
    parser.add_argument("--duration", type=float, metavar="S", help="end by itself after S seconds")
    parser.add_argument(
        "--alone", action="store_true", help="without companion and dashboard beside it"
    )
    parser.add_argument(
        "--no-rollback",
        action="store_true",
        help="never start with the last good configuration instead of FILE",
    )


def _run_site(arguments: argparse.Namespace) -> int:
    from gridzero.service import run

    return run(
        arguments.config,
        arguments.duration,
        alone=arguments.alone,
        may_roll_back=not arguments.no_rollback,
    )


def _reload_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="FILE", help="whose gridzero is asked")
    parser.add_argument(
        "--restart", action="store_true", help="restart in order where something waits for that"
    )
    parser.add_argument("--mqtt", metavar="HOST:PORT", help="broker instead of that of FILE")


def _reload(arguments: argparse.Namespace) -> int:
    from gridzero.commands.reload import run

    return run(arguments.config, arguments.mqtt, restart=arguments.restart)


def _companion_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="FILE")
    parser.add_argument("--mqtt", metavar="HOST:PORT", help="broker instead of that of FILE")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input ends")
    parser.add_argument(
        "--instead", type=Path, metavar="TEXT", help="a file to read instead of FILE"
    )


def _companion(arguments: argparse.Namespace) -> int:
    from gridzero.companion import run

    return run(
        arguments.config,
        arguments.mqtt,
        with_parent=arguments.with_parent,
        instead=arguments.instead,
    )


def _dashboard(arguments: argparse.Namespace) -> int:
    from gridzero.dashboard import run

    return run(
        arguments.config,
        arguments.mqtt,
        with_parent=arguments.with_parent,
        instead=arguments.instead,
    )


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    from gridzero.demo.arguments import add

    add(parser)


def _demo(arguments: argparse.Namespace) -> int:
    from gridzero.demo.command import run

    return run(arguments)


def _bench_arguments(parser: argparse.ArgumentParser) -> None:
    from gridzero.bench.arguments import add

    add(parser)


def _bench(arguments: argparse.Namespace) -> int:
    if arguments.what == "control":
        from gridzero.bench.control.command import run as compare

        return compare(arguments)
    if arguments.what == "battery":
        from gridzero.bench.battery.command import run as measure

        return measure(arguments)
    if arguments.what == "history":
        from gridzero.bench.history import run as keep

        return keep(arguments)
    if arguments.what == "day":
        from gridzero.bench.day.command import run as live

        return live(arguments)
    if arguments.what == "soak":
        from gridzero.bench.soak.command import run as last

        return last(arguments)
    from gridzero.bench.command import run

    return run(arguments)


def _identify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("unit", nargs="?", default="all", metavar="UNIT", help="default: all")
    parser.add_argument("--config", type=Path, metavar="FILE", help="whose broker to use")
    parser.add_argument("--mqtt", metavar="HOST:PORT", help="broker; default 127.0.0.1:1883")


def _identify(arguments: argparse.Namespace) -> int:
    from gridzero.commands.identify import run

    return run(arguments.unit, arguments.config, arguments.mqtt)


def _history_arguments(parser: argparse.ArgumentParser) -> None:
    from gridzero.outputs.history.arguments import add

    add(parser)


def _history(arguments: argparse.Namespace) -> int:
    from gridzero.outputs.history.command import run

    return run(arguments)


def _alerts_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("test",), help="send one message to each address")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")


def _alerts(arguments: argparse.Namespace) -> int:
    from gridzero.commands.alerts import run

    return run(arguments.config)


def _console_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "where", nargs="?", metavar="HOST:PORT", help="default: that of the configuration"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="whose console to use")
    parser.add_argument("-c", dest="word", metavar="WORD", help="run that word, print, and end")
    parser.add_argument("--yes", action="store_true", help="with -c: yes where the word asks first")


def _console(arguments: argparse.Namespace) -> int:
    from gridzero.commands.console import run

    return run(arguments.where, arguments.config, arguments.word, sure=arguments.yes)


def _healthcheck_arguments(parser: argparse.ArgumentParser) -> None:
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--config", type=Path, metavar="FILE", help="listen at that broker instead")
    other.add_argument("--page", metavar="HOST:PORT", help="ask the web page instead")


def _healthcheck(arguments: argparse.Namespace) -> int:
    from gridzero.commands.healthcheck import run

    return run(arguments.config, arguments.page)


def _meter_arguments(parser: argparse.ArgumentParser) -> None:
    from gridzero.meter.arguments import add

    add(parser)


def _meter(arguments: argparse.Namespace) -> int:
    from gridzero.meter.command import run

    return run(arguments)


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", nargs="?", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="for programs, with stable keys")
    parser.add_argument("--all", action="store_true", help="also what is good or cannot be seen")


def _doctor(arguments: argparse.Namespace) -> int:
    from gridzero.doctor.command import run

    return run(arguments)


def _commission_arguments(parser: argparse.ArgumentParser) -> None:
    from gridzero.commission.arguments import add

    add(parser)


def _commission(arguments: argparse.Namespace) -> int:
    from gridzero.commission.command import run

    return run(arguments)


def _migrate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="FILE")
    parser.add_argument(
        "--write", action="store_true", help="change it; the old one is kept beside it"
    )


def _migrate(arguments: argparse.Namespace) -> int:
    from gridzero.commands.migrate import run

    return run(arguments.config, write=arguments.write)


def _backup_arguments(parser: argparse.ArgumentParser) -> None:
    from gridzero.backup.arguments import add_backup

    add_backup(parser)


def _backup(arguments: argparse.Namespace) -> int:
    from gridzero.backup.command import back_up

    return back_up(arguments)


def _restore_arguments(parser: argparse.ArgumentParser) -> None:
    from gridzero.backup.arguments import add_restore

    add_restore(parser)


def _restore(arguments: argparse.Namespace) -> int:
    from gridzero.backup.command import restore

    return restore(arguments)


def _setup_arguments(parser: argparse.ArgumentParser) -> None:
    from gridzero.host_setup.arguments import add

    add(parser)


def _setup(arguments: argparse.Namespace) -> int:
    from gridzero.host_setup.command import run

    return run(arguments)


_TRY, _SET_UP = "to try it, without any hardware", "to set up a house"
_RUN, _LOOK = "to run it", "to look at one that runs, and to talk to it"
_BESIDE, _WORK = "started by `run`; by hand only for one on another machine", "for engineers"

COMMANDS: tuple[Command, ...] = (
    Command(_TRY, "demo", "Show the main job with a simulated house", _demo_arguments, _demo),
    Command(
        _SET_UP,
        "meter",
        "List known grid meters, or look at what a live one says",
        _meter_arguments,
        _meter,
    ),
    Command(_SET_UP, "check", "Check configuration files and tell what they mean", _files, _check),
    Command(
        _SET_UP,
        "migrate",
        "Show or write what an older configuration file looks like in this version",
        _migrate_arguments,
        _migrate,
    ),
    Command(
        _SET_UP,
        "setup",
        "Show or write the machine's files: CAN names and rates, overlays, systemd unit",
        _setup_arguments,
        _setup,
    ),
    Command(
        _SET_UP,
        "doctor",
        "Look for what is wrong with this machine, and tell what mends it",
        _doctor_arguments,
        _doctor,
    ),
    Command(
        _SET_UP,
        "commission",
        "Go through the list for a house that was just wired, line by line",
        _commission_arguments,
        _commission,
    ),
    Command(
        _SET_UP,
        "alerts",
        "Send a message to whom alerts go, as a test",
        _alerts_arguments,
        _alerts,
    ),
    Command(_SET_UP, "drivers", "List the installed drivers", _no_arguments, _drivers),
    Command(
        _SET_UP,
        "schema",
        "Print the JSON Schema of the configuration file, for editors",
        _no_arguments,
        _schema,
    ),
    Command(_RUN, "run", "Hold the grid of a house at zero", _run_arguments, _run_site),
    Command(
        _RUN,
        "healthcheck",
        "Say whether commands are really being sent; for Docker",
        _healthcheck_arguments,
        _healthcheck,
    ),
    Command(
        _RUN,
        "backup",
        "Put configuration, state and history into one file, also while it runs",
        _backup_arguments,
        _backup,
    ),
    Command(
        _RUN,
        "restore",
        "Show or do what brings a backup back",
        _restore_arguments,
        _restore,
    ),
    Command(
        _LOOK,
        "reload",
        "Let a running gridzero read its configuration again",
        _reload_arguments,
        _reload,
    ),
    Command(
        _LOOK, "console", "Words, a live screen, traces of each bus", _console_arguments, _console
    ),
    Command(
        _LOOK,
        "history",
        "Look into the history, export it, back it up",
        _history_arguments,
        _history,
    ),
    Command(
        _LOOK,
        "identify",
        "Test how the converters follow, with small steps",
        _identify_arguments,
        _identify,
    ),
    Command(_BESIDE, "dashboard", "Serve the web page", _companion_arguments, _dashboard),
    Command(
        _BESIDE,
        "companion",
        "Serve Home Assistant, console, history, metrics, alerts",
        _companion_arguments,
        _companion,
    ),
    Command(
        _WORK, "bench", "Measure core and battery, compare control laws", _bench_arguments, _bench
    ),
    Command(
        _WORK,
        "vectors",
        "Run test vectors through a driver's codec",
        _vector_arguments,
        _vectors,
    ),
)

if __name__ == "__main__":
    sys.exit(main())
