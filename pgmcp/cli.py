"""
The command line: pgmcp serve, demo, check.

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; a known failure is one sentence on stderr."""
    try:
        options = _parser().parse_args(arguments)
        return int(options.run(options))
    except PgmcpError as error:
        print("\n".join(error.lines()).replace("error:", "pgmcp:", 1), file=sys.stderr)
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


def _load(options: argparse.Namespace) -> Settings:
    # Imported here, as all that takes long: Ctrl-C meanwhile is then `main`'s to handle.
    from pgmcp.settings import load  # noqa: PLC0415

    flags = {("http", name): getattr(options, name, None) for name in ("host", "port", "socket")}
    return load(environ=os.environ, file=options.config, flags=flags)


def defer_unused() -> None:
    """Enter the packages of UNUSED_INITS without running their __init__ files."""
    for package in UNUSED_INITS:
        defer(package)


def _serve(options: argparse.Namespace) -> int:
    defer_unused()
    # Imported here, so that `check` and --help start at once.
    import uvloop  # noqa: PLC0415

    from pgmcp.serve import listen, serve, set_up_logging  # noqa: PLC0415

    settings = _load(options)
    set_up_logging(settings.log_level, in_journal="JOURNAL_STREAM" in os.environ)
    listener = listen(settings.http)
    uvloop.run(serve(settings, listener))
    return 0


def _check(options: argparse.Namespace) -> int:
    settings = _load(options)
    where = settings.http.socket or f"{settings.http.host} port {settings.http.port}"
    print(
        f"ok: PostgreSQL at {settings.server.host} port {settings.server.port}, "
        f"database {settings.server.database}; listening on {where}"
    )
    if (warning := settings.http.exposure()) is not None:
        print(f"warning: {warning}", file=sys.stderr)
    return 0


def _demo(options: argparse.Namespace) -> int:
    defer_unused()
    # Only the demo needs what can start a PostgreSQL.
    import uvloop  # noqa: PLC0415

    from pgmcp.embedded.run import run_demo  # noqa: PLC0415
    from pgmcp.serve import listen, set_up_logging  # noqa: PLC0415

    settings = _load(options)
    set_up_logging("warning", in_journal=False)
    # A taken port is told before a cluster is made.
    listener = listen(settings.http)
    uvloop.run(run_demo(settings, listener, environ=os.environ, directory=options.directory))
    return 0
