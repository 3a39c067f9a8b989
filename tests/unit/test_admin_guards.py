"""What pg_admin leaves to the operator: settings, values and extensions, each with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgmcp.errors import CallerError, Unavailable
from pgmcp.tools.admin.dump_file import dump_name, open_dump
from pgmcp.tools.admin.guarded import extension_refusal, refusal
from pgmcp.tools.admin.report import first_of, like
from pgmcp.tools.admin.startup import check_startup

NOW = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
CURRENT = {
    "wal_level": "replica",
    "superuser_reserved_connections": "3",
    "reserved_connections": "0",
    "max_replication_slots": "10",
}


@pytest.mark.parametrize(
    "name",
    [
        "archive_command",
        "Archive_Command",
        "archive_library",
        "restore_command",
        "ssl_passphrase_command",
        "shared_preload_libraries",
        "session_preload_libraries",
        "local_preload_libraries",
        "oauth_validator_libraries",
        "dynamic_library_path",
        "extension_control_path",
        "jit_provider",
        "plperl.on_init",
        "plperl.on_plperlu_init",
        "pltcl.start_proc",
        "data_directory",
        "config_file",
        "hba_file",
        "ident_file",
        "listen_addresses",
        "port",
        "ssl_key_file",
        "unix_socket_directories",
        "log_directory",
        "allow_system_table_mods",
        "zero_damaged_pages",
        "primary_conninfo",
        "recovery_target_time",
        "pre_auth_delay",
        "fsync",
    ],
)
def test_a_dangerous_setting_is_refused_with_its_reason(name: str) -> None:
    reason = refusal(name)

    assert reason is not None
    assert reason.startswith(f'setting "{name}" ')
    assert "The operator does that" in reason


@pytest.mark.parametrize(
    "name",
    [
        "work_mem",
        "shared_buffers",
        "max_connections",
        "log_min_duration_statement",
        "log_replication_commands",
        "recovery_prefetch",
        "restrict_nonsystem_relation_kind",
        "autovacuum",
        "search_path",
        "pg_stat_statements.track",
    ],
)
def test_an_ordinary_setting_is_free(name: str) -> None:
    assert refusal(name) is None


@pytest.mark.parametrize("name", ["plpython3u", "plperlu", "pltclu", "file_fdw", "adminpack"])
def test_an_extension_that_runs_code_is_refused_also_as_a_requirement(name: str) -> None:
    reason = extension_refusal(["hstore", name])

    assert reason is not None
    assert f'"{name}"' in reason


def test_ordinary_extensions_are_free() -> None:
    assert extension_refusal(["pg_trgm", "plperl", "pltcl", "plpgsql", "hstore_plperl"]) is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param("wal_level", "minimal", 'is below "replica"', id="wal_level"),
        pytest.param("max_connections", "23", "23 is below 24", id="max_connections"),
        pytest.param("max_replication_slots", "9", "below today's 10", id="slots"),
    ],
)
def test_a_value_that_could_keep_the_server_down_is_refused(
    name: str, value: str, message: str
) -> None:
    with pytest.raises(CallerError, match=message):
        check_startup(name, value, CURRENT, own=20)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wal_level", "logical"),
        ("wal_level", "nonsense"),
        ("max_connections", "24"),
        ("max_replication_slots", "10"),
        ("work_mem", "1"),
        ("max_connections", "many"),
    ],
)
def test_other_values_are_postgresqls_to_judge(name: str, value: str) -> None:
    check_startup(name, value, CURRENT, own=20)


@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=3))
def test_no_name_leaves_the_backup_directory(parts: list[str]) -> None:
    name = dump_name(parts, NOW)

    assert Path(name).name == name
    assert not name.startswith((".", "-"))
    assert name.isascii()
    assert len(name) < 200


def test_a_dump_is_partial_and_private_until_it_is_kept(tmp_path: Path) -> None:
    file = open_dump(tmp_path, ["app/../x"], NOW)
    (partial,) = tmp_path.iterdir()
    file.keep()
    file.close()

    (kept,) = tmp_path.iterdir()
    assert partial.name.endswith(".dump.partial")
    assert kept.name.startswith("app_x-20261123T010203Z-")
    assert kept.name.endswith(".dump")
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_dump_that_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    open_dump(tmp_path, ["app"], NOW).close()

    assert list(tmp_path.iterdir()) == []


def test_a_missing_backup_directory_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"backup\.directory \(PGMCP_BACKUP_DIRECTORY\)"):
        open_dump(tmp_path / "absent", ["app"], NOW)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [(None, ""), ("Work_Mem", "work\\_mem"), ("log*", "log%"), ("50%\\", "50\\%\\\\")],
)
def test_a_star_is_the_only_wildcard_of_the_lists(name: str | None, pattern: str) -> None:
    assert like(name) == pattern


def test_a_long_list_is_counted() -> None:
    assert first_of(["a", "b", "c"], 2) == "a, b and 1 more"
