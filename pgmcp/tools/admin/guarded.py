"""
Settings and extensions that pg_admin leaves to the operator, each with its reason.

Owns the lists; PostgreSQL's own checks come after them.
"""

from __future__ import annotations

import re

CODE = "lets whoever sets it run programs or load code on the server"
REACH = "decides how clients reach the server and could lock everyone out"
START = "can keep PostgreSQL from starting again"
LOSS = "can lose or hide data"
FILES = "decides where the server's files are"

REASONS: dict[str, str] = {
    **dict.fromkeys(
        (
            "archive_library",
            "shared_preload_libraries",
            "session_preload_libraries",
            "local_preload_libraries",
            "jit_provider",
            "dynamic_library_path",
            "extension_control_path",
            "oauth_validator_libraries",
        ),
        CODE,
    ),
    **dict.fromkeys(
        (
            "listen_addresses",
            "port",
            "ssl",
            "bonjour",
            "db_user_namespace",
            "authentication_timeout",
            "reserved_connections",
            "superuser_reserved_connections",
            "allow_alter_system",
            "pre_auth_delay",
            "post_auth_delay",
            "exit_on_error",
            "role",
            "session_authorization",
        ),
        REACH,
    ),
    **dict.fromkeys(
        (
            "huge_pages",
            "huge_page_size",
            "shared_memory_type",
            "dynamic_shared_memory_type",
            "min_dynamic_shared_memory",
            "io_method",
            "archive_mode",
            "restart_after_crash",
            "promote_trigger_file",
        ),
        START,
    ),
    **dict.fromkeys(
        (
            "fsync",
            "full_page_writes",
            "zero_damaged_pages",
            "ignore_checksum_failure",
            "ignore_invalid_pages",
            "ignore_system_indexes",
            "allow_system_table_mods",
            "allow_in_place_tablespaces",
            "data_sync_retry",
        ),
        LOSS,
    ),
    **dict.fromkeys(
        (
            "data_directory",
            "config_file",
            "hba_file",
            "ident_file",
            "external_pid_file",
            "log_directory",
            "log_filename",
            "log_file_mode",
            "stats_temp_directory",
            "log_destination",
            "logging_collector",
            "syslog_ident",
            "event_source",
        ),
        FILES,
    ),
}
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r".*_(command|program)|.*_libraries|.*_library"), CODE),
    # Code that a procedural language runs at its start.
    (re.compile(r"(plperl|plpython\w*|pltclu?|plv8|pljava|plr|plsh)\..*"), CODE),
    (re.compile(r"ssl_.*|unix_socket_.*|krb_.*|gss_.*|oauth_.*|bonjour_.*"), REACH),
    (re.compile(r"recovery_target.*|primary_.*"), START),
)
# Extensions whose purpose is code or files of the server's operating system user.
EXTENSIONS = re.compile(
    r"adminpack|file_fdw|plsh|plr|pljavau?|plperlu|plpython\d?u|plpythonu|pltclu"
)


def refusal(name: str) -> str | None:
    """Return why the setting *name* is not changed here, or None where it may be."""
    lower = name.lower()
    reason = REASONS.get(lower)
    if reason is None:
        reason = next((why for pattern, why in PATTERNS if pattern.fullmatch(lower)), None)
    if reason is None:
        return None
    return (
        f'setting "{name}" {reason}; pg_admin does not change it. The operator does that in '
        "postgresql.conf or with psql."
    )


def extension_refusal(names: list[str]) -> str | None:
    """Return why one of *names* is not installed here, or None where all may be."""
    for name in names:
        if EXTENSIONS.fullmatch(name):
            return (
                f'extension "{name}" lets whoever uses it run code or read files on the server; '
                "pg_admin does not install it. The operator does that with psql."
            )
    return None
