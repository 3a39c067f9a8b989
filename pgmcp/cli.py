"""
The command line: pgmcp serve, demo, check, provision, key.

Reads flags and prints; `settings` reads everything else.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pgmcp import __version__
from pgmcp.deferred import defer
from pgmcp.errors import PgmcpError

if TYPE_CHECKING:
    from pgmcp.settings import Settings

# Their __init__ files import a client, a second server and protobuf, which `serve` never uses:
# 19 MB and a sixth of a second.
UNUSED_INITS = ("mcp", "mcp.server", "postgast")
# Which setting a flag of its name overrides; --except adds to its own.
FLAGS = (
    *(("http", name) for name in ("host", "port", "socket", "tailscale_socket")),
    *(("provision", name) for name in ("except", "read_all", "superuser_admin", "peer")),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; a known failure is one sentence on stderr."""
    try:
        options = _parser().parse_args(arguments)
        return int(options.run(options))
    except PgmcpError as error:
        print("\n".join(error.lines()).replace("error:", "pgmcp:", 1), file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pgmcp", description="One PostgreSQL gateway for every MCP client on your tailnet."
    )
    parser.add_argument("--version", action="version", version=f"pgmcp {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="answer MCP clients over HTTP")
    serve.set_defaults(run=_serve)
    _add_listener(serve)
    check = commands.add_parser("check", help="check the configuration, without a database")
    check.set_defaults(run=_check)
    check.add_argument("--config", type=Path, metavar="FILE", help="TOML, or JSON by its name")
    doctor = commands.add_parser(
        "doctor", help="what works, what each role really may do, and what mends the rest"
    )
    doctor.set_defaults(run=_doctor)
    doctor.add_argument("--config", type=Path, metavar="FILE", help="TOML, or JSON by its name")
    key = commands.add_parser("key", help="API keys for callers that the tailnet does not know")
    new = key.add_subparsers(required=True, metavar="ACTION").add_parser("new", help="make a key")
    new.set_defaults(run=_new_key)
    new.add_argument("name", metavar="NAME", help="what access rules call it: key:NAME")
    provision = commands.add_parser(
        "provision", help="make the login roles, and open every database to them"
    )
    provision.set_defaults(run=_provision)
    _add_provision(provision)
    demo = commands.add_parser("demo", help="a private PostgreSQL with sample data, and pgmcp")
    demo.set_defaults(run=_demo)
    _add_listener(demo)
    demo.add_argument("--directory", type=Path, help="where the demo keeps its data")
    return parser


def _add_listener(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, metavar="FILE", help="TOML, or JSON by its name")
    command.add_argument(
        "--transport", choices=["http"], default="http", help="Streamable HTTP is the only one"
    )
    command.add_argument("--host", metavar="H", help="address to listen on (127.0.0.1)")
    command.add_argument("--port", type=int, metavar="P", help="TCP port (PORT, else 3000)")
    command.add_argument("--socket", type=Path, metavar="PATH", help="a Unix socket instead of TCP")
    command.add_argument(
        "--tailscale-socket", type=Path, metavar="PATH", help="one for tailscaled alone"
    )


def _add_provision(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--config", type=Path, metavar="FILE", help="TOML, or JSON by its name")
    add("--dry-run", action="store_true", help="print the SQL and change nothing")
    add("--database", action="append", metavar="NAME", help="only this one (repeatable)")
    add(
        "--except",
        action="append",
        metavar="DATABASE.SCHEMA[.TABLE]",
        help="keep this closed to reading and writing; * and ? match (repeatable)",
    )
    either = argparse.BooleanOptionalAction  # what is not given is the settings'
    add("--read-all", action=either, help="read everything, password verifiers as well")
    add("--superuser-admin", action=either, help="make pgmcp_admin a superuser")
    add(
        "--peer",
        nargs="?",
        const="pgmcp",
        metavar="USER",
        help="no passwords: this system user (pgmcp) logs in as the roles",
    )
    add("--no-peer", action="store_const", const="", dest="peer", help="passwords after all")
    add("--rotate", action="store_true", help="give every role a new password")


def _load(options: argparse.Namespace, *, needs_credentials: bool = True) -> Settings:
    # Imported here, as all that takes long: Ctrl-C meanwhile is then `main`'s to handle.
    from pgmcp.settings import load  # noqa: PLC0415

    flags = {pair: getattr(options, pair[1], None) for pair in FLAGS}
    return load(
        environ=os.environ,
        file=options.config,
        flags=flags,
        needs_credentials=needs_credentials,
    )


def defer_unused() -> None:
    """Enter the packages of UNUSED_INITS without running their __init__ files."""
    for package in UNUSED_INITS:
        defer(package)


def _serve(options: argparse.Namespace) -> int:
    defer_unused()
    # Imported here, so that `check` and --help start at once.
    import uvloop  # noqa: PLC0415

    from pgmcp.listeners import handed_over, listen  # noqa: PLC0415
    from pgmcp.serve import serve, set_up_logging  # noqa: PLC0415
    from pgmcp.supervisor import Supervisor  # noqa: PLC0415

    settings = _load(options)
    set_up_logging(settings.log_level, in_journal="JOURNAL_STREAM" in os.environ)
    listeners = listen(settings.http, handed_over(os.environ, settings.http))
    uvloop.run(serve(settings, listeners, Supervisor(os.environ)))
    return 0


def _check(options: argparse.Namespace) -> int:
    from pgmcp.doctor.configuration import look_ahead  # noqa: PLC0415

    settings = _load(options, needs_credentials=False)
    http = settings.http
    places = [f"{http.host} port {http.port}"] if http.has_tcp else []
    places += [str(path) for path in (http.socket, http.tailscale_socket) if path]
    listening = " and ".join(places) or "the sockets that systemd hands over"
    print(
        f"ok: PostgreSQL at {settings.server.host} port {settings.server.port}, "
        f"database {settings.server.database}; listening on {listening}"
    )
    for finding in look_ahead(settings):
        print(f"warning: {finding.text.removesuffix('.')}; {finding.fix}", file=sys.stderr)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    import uvloop  # noqa: PLC0415

    from pgmcp.doctor.command import run  # noqa: PLC0415

    return uvloop.run(run(_load(options), lambda line: print(line, flush=True)))


def _new_key(options: argparse.Namespace) -> int:
    from pgmcp.keys import new_key  # noqa: PLC0415

    key, line = new_key(options.name)
    print("The key, shown this once, for the client's Authorization: Bearer", file=sys.stderr)
    print(key, flush=True)
    print("The line for the file of identity.keys_file or its credential:", file=sys.stderr)
    print(line, flush=True)
    return 0


def _provision(options: argparse.Namespace) -> int:
    import uvloop  # noqa: PLC0415

    from pgmcp.provision.command import run  # noqa: PLC0415
    from pgmcp.settings import passfile_path  # noqa: PLC0415

    settings = _load(options)
    passfile = passfile_path(os.environ, settings.server.host, settings.server.port)
    lines, status = uvloop.run(run(settings, passfile, options))
    print("\n".join(lines))
    return status


def _demo(options: argparse.Namespace) -> int:
    defer_unused()
    # Only the demo needs what can start a PostgreSQL.
    import uvloop  # noqa: PLC0415

    from pgmcp.embedded.run import run_demo  # noqa: PLC0415
    from pgmcp.listeners import listen  # noqa: PLC0415
    from pgmcp.serve import set_up_logging  # noqa: PLC0415

    settings = _load(options)
    set_up_logging("warning", in_journal=False)
    # A taken port is told before a cluster is made.
    listeners = listen(settings.http)
    uvloop.run(run_demo(settings, listeners, environ=os.environ, directory=options.directory))
    return 0
