"""
What no statement may call or read by name, at any level, and what to use instead.

Owns the lists. They make a refusal a good sentence; the login role is what holds.
"""

from __future__ import annotations

Name = tuple[str | None, str]  # schema, where one is given, and name; both as PostgreSQL folds them

OPERATOR = "The operator runs it with psql."
NO_SESSION = "Settings of a session do not outlive a call. "
TERMINATE = "Use pg_admin action=terminate or action=cancel with the pid."
STATISTICS = "Use pg_admin action=reset_statistics."
SESSION_LOCK = "A session's lock would not outlive the call: use pg_advisory_xact_lock or "
SESSION_LOCK += "pg_try_advisory_xact_lock."
TEXT = "It runs SQL given as text, which cannot be judged. Send that query itself."
PIVOT = "It runs SQL given as text. Pivot with count(*) FILTER (WHERE …) or CASE."
LARGE_OBJECT = "Keep binary values in a bytea column; lo_get reads a large object."
FILES = "The server's files are out of reach here. pg_admin action=setting shows its settings."
VACUUM = "pg_admin action=vacuum does it."
SLOTS = "pg_monitor action=replication shows replication. Changing it is the operator's, with psql."
ELSEWHERE = "It opens a session of its own. Name the other database in database."
OTHERS = "It shows statements that others prepared on the connection."
SEED = "The session serves others next. Use TABLESAMPLE … REPEATABLE or ORDER BY md5(key::text)."
SNAPSHOT = 'Use pg_tx action=begin isolation="repeatable read": its statements see one snapshot.'
PAGES = "It shows raw pages, whoever may read the table. Read the table itself."

TYPED = "Cast to the type by its name instead: $1::schema.type."

XML_OF = ("query", "table", "schema", "database")
# Functions of PostgreSQL itself: they live in pg_catalog and nowhere else.
CORE: dict[str, str] = {
    **dict.fromkeys(("pg_terminate_backend", "pg_cancel_backend"), TERMINATE),
    "pg_reload_conf": "Use pg_admin action=reload.",
    "set_config": NO_SESSION + "pg_admin action=set changes the server's settings.",
    "setseed": SEED,
    "pg_export_snapshot": SNAPSHOT,
    "pg_prepared_statement": OTHERS,
    **dict.fromkeys(("brin_summarize_new_values", "brin_summarize_range"), VACUUM),
    **dict.fromkeys(("brin_desummarize_range", "gin_clean_pending_list"), VACUUM),
    **dict.fromkeys(("lo_creat", "lo_create", "lo_from_bytea", "lo_put"), LARGE_OBJECT),
    **dict.fromkeys(("lo_unlink", "lo_import", "lo_export", "lo_open", "lo_close"), LARGE_OBJECT),
    **dict.fromkeys(("loread", "lowrite", "lo_truncate", "lo_truncate64"), LARGE_OBJECT),
    **dict.fromkeys(("lo_lseek", "lo_lseek64", "lo_tell", "lo_tell64"), LARGE_OBJECT),
    **{f"{what}_to_xml{form}": TEXT for what in XML_OF for form in ("", "schema")},
    **{f"{what}_to_xml_and_xmlschema": TEXT for what in XML_OF},
    **dict.fromkeys(("cursor_to_xml", "cursor_to_xmlschema", "ts_stat"), TEXT),
    **dict.fromkeys(("pg_stat_file", "pg_hba_file_rules", "pg_ident_file_mappings"), FILES),
    "pg_show_all_file_settings": FILES,
    "pg_sync_replication_slots": SLOTS,
    **dict.fromkeys(("pg_notify", "pg_promote", "pg_switch_wal", "pg_nextoid"), OPERATOR),
    **dict.fromkeys(("pg_rotate_logfile", "pg_rotate_logfile_old"), OPERATOR),
    **dict.fromkeys(("pg_log_backend_memory_contexts", "pg_log_standby_snapshot"), OPERATOR),
    **dict.fromkeys(("pg_import_system_collations", "pg_extension_config_dump"), OPERATOR),
    "pg_stop_making_pinned_objects": OPERATOR,
    # These take a type by name or number, so what its domains would run cannot be seen.
    **dict.fromkeys(("pg_input_is_valid", "pg_input_error_info"), TYPED),
    **dict.fromkeys(("record_in", "array_in", "range_in", "multirange_in", "domain_in"), TYPED),
}
CORE_PREFIXES: tuple[tuple[str, str], ...] = (
    ("pg_stat_reset", STATISTICS),
    ("pg_advisory_lock", SESSION_LOCK),
    ("pg_advisory_unlock", SESSION_LOCK),
    ("pg_try_advisory_lock", SESSION_LOCK),
    ("pg_ls_", FILES),
    ("pg_read_", FILES),
    ("pg_file_", FILES),
    ("pg_replication_origin_", SLOTS),
    ("pg_replication_slot_", SLOTS),
    ("pg_drop_replication_", SLOTS),
    ("pg_logical_", SLOTS),
    ("pg_copy_", SLOTS),
    ("pg_create_", SLOTS),  # slots, and restore points
    ("pg_wal_replay_", SLOTS),
    ("pg_backup_", OPERATOR),
    ("pg_start_backup", OPERATOR),
    ("pg_stop_backup", OPERATOR),
    ("pg_restore_", "pg_admin action=analyze makes a table's statistics."),
    ("pg_clear_", "pg_admin action=analyze makes a table's statistics."),
    ("pg_set_", OPERATOR),
    ("binary_upgrade_", OPERATOR),
)
# Functions of extensions: these live in whatever schema the extension was put into.
EXTENSIONS: dict[str, str] = {
    **dict.fromkeys(("crosstab", "crosstab2", "crosstab3", "crosstab4", "crosstab_hash"), PIVOT),
    "connectby": "It runs SQL given as text. Use WITH RECURSIVE.",
    "xpath_table": "It runs SQL given as text. Use XMLTABLE.",
    "pg_stat_statements_reset": STATISTICS,
    **dict.fromkeys(("pg_prewarm", "autoprewarm_start_worker", "autoprewarm_dump_now"), OPERATOR),
    **dict.fromkeys(("heap_force_kill", "heap_force_freeze"), OPERATOR),
    **dict.fromkeys(("postgres_fdw_disconnect", "postgres_fdw_disconnect_all"), OPERATOR),
    **dict.fromkeys(("get_raw_page", "bt_page_items", "pg_truncate_visibility_map"), PAGES),
    **dict.fromkeys(("pg_get_wal_record_info", "pg_get_wal_records_info"), PAGES),
    **dict.fromkeys(("pg_get_wal_block_info", "pg_get_wal_fpi_info"), PAGES),
    "pg_get_wal_records_info_till_end_of_wal": PAGES,
    **dict.fromkeys(("pg_logdir_ls", "pg_logfile_rotate"), FILES),
}
EXTENSION_PREFIXES: tuple[tuple[str, str], ...] = (
    ("dblink", ELSEWHERE),
    ("pg_background_", ELSEWHERE),
    ("pg_buffercache_evict", OPERATOR),
)
# These change something though they look like reading: a sequence, the transaction's number, or
# what another server keeps (the extension http).
WRITING = frozenset({"nextval", "setval", "txid_current", "pg_current_xact_id"})
WRITING |= {"http", "http_get", "http_post", "http_put", "http_patch", "http_delete", "http_head"}

ROLES = "pg_roles shows the roles without their passwords."
MAPPINGS = "information_schema.user_mappings shows them without their secrets."
SECRET: dict[str, str] = {
    **dict.fromkeys(("pg_authid", "pg_shadow"), ROLES),
    **dict.fromkeys(("pg_user_mapping", "pg_user_mappings", "_pg_user_mappings"), MAPPINGS),
    "user_mapping_options": MAPPINGS,
    "pg_subscription": "pg_stat_subscription shows them without their connection's password.",
    "pg_largeobject": "lo_get reads a large object that the login may read.",
    "pg_statistic": "pg_stats shows it of the columns that the login may read.",
    "pg_statistic_ext_data": "pg_stats_ext shows it of the tables that the login owns.",
    **dict.fromkeys(("pg_hba_file_rules", "pg_ident_file_mappings", "pg_file_settings"), FILES),
    "pg_prepared_statements": OTHERS,
}
SYSTEM_SCHEMAS = ("pg_catalog", "information_schema", "pg_toast")
PLAIN = ("user_mapping_options",)  # a name that a table of the user's own may have as well


def denied_function(function: Name, arguments: int) -> str | None:
    """
    Return what to use instead of a function with effects beyond its call, if it is one.

    A function of the user's own may be called lo_put or set_config where its schema says so;
    a name that begins with pg_ is taken for PostgreSQL's, or a wrapper of it, in any schema.
    """
    schema, name = function
    if (instead := EXTENSIONS.get(name) or _by_prefix(name, EXTENSION_PREFIXES)) is not None:
        return instead
    if schema not in (None, "pg_catalog") and not name.startswith("pg_"):
        return None
    if name == "ts_rewrite" and arguments == 2:  # noqa: PLR2004 - with three it takes no SQL text
        return TEXT
    return CORE.get(name) or _by_prefix(name, CORE_PREFIXES)


def _by_prefix(name: str, prefixes: tuple[tuple[str, str], ...]) -> str | None:
    return next((instead for prefix, instead in prefixes if name.startswith(prefix)), None)


def denied_table(table: Name) -> str | None:
    """Return what to read instead of a table with secrets, if it is one."""
    schema, name = table
    if schema == "pg_toast":
        return "Read the table that it belongs to."
    if name in PLAIN and schema not in (None, "information_schema"):
        return None
    return SECRET.get(name)


def is_system(table: Name) -> bool:
    """Tell whether a table or other object is the system's own; pg_catalog is searched first."""
    schema, name = table
    return schema in SYSTEM_SCHEMAS or (schema is None and name.startswith("pg_"))
