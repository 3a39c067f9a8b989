"""
One call each to pg_schema, pg_monitor and pg_admin that is refused, and changes nothing.

Owns the table beside `cases`; a case's name is its file's in errors/.
"""

from __future__ import annotations

from typing import Any

Arguments = dict[str, Any]  # Any: JSON

CONCURRENTLY = "CREATE INDEX CONCURRENTLY ON shop.orders (total)"
FUNCTION = "CREATE FUNCTION a() RETURNS int LANGUAGE sql AS '{}'"
NESTED = "SELECT 1"
for _ in range(5):
    NESTED = FUNCTION.format(NESTED.replace("'", "''"))

SCHEMA: dict[str, Arguments] = {
    "schema_concurrently_with_another_definition": {
        "action": "create",
        "sql": f"{CONCURRENTLY}; CREATE TABLE shop.x (a int)",
    },
    "schema_concurrently_dry_run": {"action": "create", "sql": CONCURRENTLY, "dry_run": True},
    "schema_list_columns": {"action": "list", "kind": "column"},
    "schema_unknown_schema": {"action": "list", "schema": "shp"},
    "schema_two_schemas": {"action": "describe", "schema": "public", "name": "shop.orders"},
    "schema_describe_of_a_trigger": {"action": "describe", "name": "odd"},
    "schema_describe_of_many": {"action": "describe", "name": "shop.twice"},
    "schema_no_statement": {"action": "create", "sql": " -- nothing"},
    "schema_too_many_statements": {"action": "create", "sql": "CREATE SCHEMA a;" * 501},
    "schema_too_many_objects": {"action": "drop", "sql": "DROP TABLE a" + ", a" * 200},
    "schema_functions_in_functions": {"action": "create", "sql": NESTED},
    "schema_grant_inside": {
        "action": "create",
        "sql": "CREATE SCHEMA a GRANT SELECT ON shop.orders TO PUBLIC",
    },
    "schema_body_of_no_sql": {"action": "create", "sql": FUNCTION.format("SELECT FROM WHERE")},
    "schema_wrong_action": {"action": "create", "sql": "DROP VIEW shop.open_orders"},
}
MONITOR: dict[str, Arguments] = {
    "monitor_odd_pattern": {"action": "tables", "pattern": "a\nb"},
}
ADMIN: dict[str, Arguments] = {
    "admin_unknown_attribute": {
        "action": "create_role",
        "name": "x",
        "attributes": ["LOGIN", "FLYING"],
    },
    "admin_contradicting_attributes": {
        "action": "create_role",
        "name": "x",
        "attributes": ["LOGIN", "NOLOGIN"],
    },
    "admin_superuser": {"action": "create_role", "name": "x", "attributes": ["SUPERUSER"]},
    "admin_long_name": {"action": "create_role", "name": "x" * 64},
    "admin_alter_nothing": {"action": "alter_role", "name": "errors_clerk"},
    "admin_alter_superuser": {
        "action": "alter_role",
        "name": "errors_root",
        "attributes": ["LOGIN"],
    },
    "admin_drop_superuser": {"action": "drop_role", "name": "errors_root"},
    "admin_alter_the_gateways_role": {
        "action": "alter_role",
        "name": "postgres",
        "attributes": ["LOGIN"],
    },
    "admin_drop_the_default_database": {"action": "drop_database", "name": "errors_shop"},
    "admin_drop_unknown_database": {"action": "drop_database", "name": "errors_shpo"},
    "admin_drop_role_unconfirmed": {"action": "drop_role", "name": "errors_clerk"},
    "admin_extension_installed": {"action": "create_extension", "name": "plpgsql"},
    "admin_extension_update_with_schema": {
        "action": "create_extension",
        "name": "plpgsql",
        "value": "9.9",
        "schema": "public",
    },
    "admin_extension_not_installed": {"action": "drop_extension", "name": "hstore"},
    "admin_extension_with_dependants": {"action": "drop_extension", "name": "plpgsql"},
    "admin_grant_nothing": {"action": "grant", "on": "table shop.orders", "to": "errors_clerk"},
    "admin_grant_unknown_privilege": {
        "action": "grant",
        "privileges": ["FLY"],
        "on": "table shop.orders",
        "to": "errors_clerk",
    },
    "admin_grant_on_unknown_table": {
        "action": "grant",
        "privileges": ["SELECT"],
        "on": "table shop.ordres",
        "to": "errors_clerk",
    },
    "admin_grant_on_a_system_table": {
        "action": "grant",
        "privileges": ["SELECT"],
        "on": "table pg_catalog.pg_authid",
        "to": "errors_clerk",
    },
    "admin_grant_on_another_kind": {
        "action": "grant",
        "privileges": ["SELECT"],
        "on": "sequence shop.orders",
        "to": "errors_clerk",
    },
    "admin_grant_on_an_unknown_column": {
        "action": "grant",
        "privileges": ["SELECT"],
        "on": "table shop.orders (totl)",
        "to": "errors_clerk",
    },
    "admin_grant_in_an_unknown_schema": {
        "action": "grant",
        "privileges": ["SELECT"],
        "on": "all tables in schema shp",
        "to": "errors_clerk",
    },
    "admin_grant_on_nothing_there": {
        "action": "grant",
        "privileges": ["USAGE"],
        "on": "all sequences in schema shop",
        "to": "errors_clerk",
    },
    "admin_grant_not_understood": {
        "action": "grant",
        "privileges": ["SELECT"],
        "on": "everything",
        "to": "errors_clerk",
    },
    "admin_grant_with_owner": {
        "action": "grant",
        "privileges": ["SELECT"],
        "on": "table shop.orders",
        "to": "errors_clerk",
        "owner": "postgres",
    },
    "admin_grant_unknown_setting": {
        "action": "grant",
        "privileges": ["SET"],
        "on": "parameter no_such_setting",
        "to": "errors_clerk",
    },
    "admin_membership_with_privileges": {
        "action": "grant",
        "privileges": ["SELECT"],
        "on": "role pg_monitor",
        "to": "errors_clerk",
    },
    "admin_membership_of_public": {"action": "grant", "on": "role pg_monitor", "to": "PUBLIC"},
    "admin_membership_that_reaches_files": {
        "action": "grant",
        "on": "role pg_read_server_files",
        "to": "errors_clerk",
    },
    "admin_vacuum_unknown_table": {"action": "vacuum", "table": "shop.ordres"},
    "admin_vacuum_of_a_view": {"action": "vacuum", "table": "shop.open_orders"},
    "admin_analyze_unknown_schema": {"action": "analyze", "schema": "shp"},
    "admin_reindex_two_things": {"action": "reindex", "table": "shop.orders", "name": "x"},
    "admin_reset_two_things": {"action": "reset_statistics", "table": "shop.orders", "name": "wal"},
    "admin_reset_a_schema": {"action": "reset_statistics", "schema": "shop"},
    "admin_reset_unknown": {"action": "reset_statistics", "name": "weather"},
    "admin_reset_statements": {"action": "reset_statistics", "name": "pg_stat_statements"},
    "admin_setting_fixed": {"action": "set", "name": "block_size", "value": "1"},
    "admin_setting_of_no_name": {"action": "set", "name": "a b", "value": "1"},
    "admin_setting_below_need": {"action": "set", "name": "max_connections", "value": "3"},
    "admin_wal_level_below_now": {"action": "set", "name": "wal_level", "value": "minimal"},
    "admin_slots_below_now": {"action": "set", "name": "max_worker_processes", "value": "1"},
    "admin_backup_unknown_database": {"action": "backup", "database": "nowhere"},
}


def all_cases() -> dict[str, tuple[str, Arguments]]:
    """Return every case with its tool."""
    tables = {"pg_schema": SCHEMA, "pg_monitor": MONITOR, "pg_admin": ADMIN}
    return {
        name: (tool, arguments)
        for tool, table in tables.items()
        for name, arguments in table.items()
    }
