"""
Ways around "read only": what a reader might send, one statement a step.

Owns the table; @dir@ is a directory that the server may write into, @dsn@ a connection string of
the superuser. A case's name is that of the reference it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """
    Hold one way: its statements, in order.

    *answers*: it may run, as it changes nothing. *below* is what stops it when nothing but
    PostgreSQL's privileges does, in place of those: "" where they do, else why they cannot.
    """

    name: str
    steps: tuple[str, ...]
    answers: bool = False
    below: str = ""


def case(name: str, *steps: str, answers: bool = False, below: str = "") -> Case:
    """Return a case."""
    return Case(name=name, steps=steps, answers=answers, below=below)


INSERT = "INSERT INTO t VALUES (99, 99, 'bypass')"
DEFINER = "a function of the superuser's that everybody may execute: the catalogue check stops it"
OWN_ROLE = "a role may end its own sessions: the gate stops it"
PREPARED = "a role may prepare a transaction, which outlives ROLLBACK: the gate stops it"
OFF = "SELECT set_config('transaction_read_only', 'off', false)"
READ_WRITE = "SET TRANSACTION READ WRITE"
COPY = "COPY (SELECT 1) TO PROGRAM 'cat > @dir@/{}'"

CHANGES = (
    case("plain INSERT", INSERT),
    case("writable CTE", f"WITH w AS ({INSERT} RETURNING id) SELECT * FROM w"),
    case("SELECT FOR UPDATE", "SELECT * FROM t WHERE id = 1 FOR UPDATE"),
    case(
        "seq: UPDATE pg_settings tro=off / INSERT",
        "UPDATE pg_settings SET setting = 'off' WHERE name = 'transaction_read_only'",
        INSERT,
    ),
    case("EXPLAIN ANALYZE INSERT", f"EXPLAIN ANALYZE {INSERT}"),
    case("SELECT INTO / CTAS", "SELECT 1 AS a INTO made", "CREATE TABLE made AS SELECT 1 AS a"),
    case("CREATE TEMP TABLE", "CREATE TEMP TABLE made (a int)"),
    case(
        "CREATE pg_temp function",
        "CREATE FUNCTION pg_temp.made() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
    case("nextval", "SELECT nextval('s')"),
    case("setval", "SELECT setval('s', 1000)"),
    case("query_to_xml(INSERT)", f"SELECT query_to_xml($q${INSERT}$q$, true, true, '')"),
    case(
        "crosstab(INSERT)",
        f"SELECT * FROM crosstab($q${INSERT} RETURNING b, b, b$q$) AS c (a text, b text)",
    ),
    case("PREPARE + EXECUTE insert", f"PREPARE made AS {INSERT}", "EXECUTE made"),
)
ENDINGS = (
    case("multi: COMMIT;INSERT", f"COMMIT; {INSERT}"),
    case("multi: SET TX RW;INSERT", f"{READ_WRITE}; {INSERT}"),
    case("comment trick", f"SELECT 1 /* ' */; {INSERT} --'"),
    case("seq: COMMIT / INSERT", "COMMIT", INSERT),
    case("seq: ROLLBACK AND CHAIN / SET TX RW / INSERT", "ROLLBACK AND CHAIN", READ_WRITE, INSERT),
    case("seq: SET TRANSACTION READ WRITE / INSERT", READ_WRITE, INSERT),
    case("seq: SET transaction_read_only=off / INSERT", "SET transaction_read_only = off", INSERT),
    case("seq: SELECT set_config(tro,off) / INSERT", OFF, INSERT),
    case("seq: SELECT 1 / SET TX READ WRITE / INSERT", "SELECT 1", READ_WRITE, INSERT),
    case(
        "seq: SHOW / COMMIT AND CHAIN / SET RW / INSERT",
        "SHOW transaction_read_only",
        "COMMIT AND CHAIN",
        READ_WRITE,
        INSERT,
    ),
    case(
        "SET SESSION CHARACTERISTICS RW",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        INSERT,
    ),
    case("PREPARE TRANSACTION", "PREPARE TRANSACTION 'made'", below=PREPARED),
)
FUNCTIONS = (
    case("fn side effect (INSERT)", "SELECT fn_insert()"),
    case("fn SECURITY DEFINER INSERT", "SELECT fn_definer_insert()"),
    case("fn set_config off + INSERT", "SELECT fn_set_off()"),
    case("fn SET clause tro=off", "SELECT fn_clause()"),
    case("fn SECDEF COPY TO PROGRAM", "SELECT fn_copy()", below=DEFINER),
    case("view -> SECDEF COPY PROGRAM", "SELECT * FROM v_copy", below=DEFINER),
    case("custom operator -> SECDEF", "SELECT 1 ### 2", below=DEFINER),
    case("shadowed fn length(name)", "SELECT length('a'::name)", below=DEFINER),
    case(
        "shadow via SET search_path=public,pg_catalog",
        "SET search_path = public, pg_catalog",
        "SELECT lower('A'::text)",
        below=DEFINER,
    ),
    case("CALL proc INSERT", "CALL p_insert()"),
    case("CALL proc COMMIT+INSERT", "CALL p_commit()"),
    case("DO INSERT", f"DO $d$ BEGIN {INSERT}; END $d$"),
    case("DO COMMIT+INSERT", f"DO $d$ BEGIN COMMIT; {INSERT}; END $d$"),
    case(
        "DO SET tro off + INSERT",
        f"DO $d$ BEGIN SET transaction_read_only = off; {INSERT}; END $d$",
    ),
    case(
        "DO set_config off + INSERT",
        "DO $d$ BEGIN PERFORM set_config('transaction_read_only', 'off', false); "
        f"{INSERT}; END $d$",
    ),
    case("pg_catalog.OPERATOR ok-read", "SELECT 1 OPERATOR(pg_catalog.+) 1", answers=True),
)
SESSION = (
    case("pg_advisory_lock (session)", "SELECT pg_advisory_lock(4711)"),
    case("set_config GUC", "SELECT set_config('work_mem', '77MB', false)"),
    case("U& escaped fn set_config", "SELECT U&\"\\0073et_config\"('work_mem', '77MB', false)"),
    case("LISTEN", "LISTEN bypass"),
    case("PREPARE", "PREPARE made AS SELECT 1"),
    case("DECLARE CURSOR WITH HOLD", "DECLARE made CURSOR WITH HOLD FOR SELECT 1"),
    case("SET session GUC", "SET work_mem = '77MB'"),
    case("DEALLOCATE ALL", "DEALLOCATE ALL"),
    case("client_encoding", "SET client_encoding = 'LATIN1'"),
    case("SET search_path", "SET search_path = public"),
    case("SET ROLE postgres", "SET ROLE postgres"),
    case("SET SESSION AUTHORIZATION", "SET SESSION AUTHORIZATION postgres"),
    case("LOCK ACCESS EXCLUSIVE", "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"),
    case("LOAD lib", "LOAD 'tablefunc'"),
    case("RESET ROLE", "RESET ROLE"),
    case("RESET SESSION AUTHORIZATION", "RESET SESSION AUTHORIZATION"),
    case("RESET ALL", "RESET ALL"),
    case("seq: RESET ROLE/COPY PROGRAM", "RESET ROLE", COPY.format("reset_role")),
    case(
        "seq: set_config(role,none)/COPY PROGRAM",
        "SELECT set_config('role', 'none', false)",
        COPY.format("role_none"),
    ),
    case(
        "set_config(statement_timeout,0)+sleep",
        "SELECT set_config('statement_timeout', '0', false)",
        "SELECT pg_sleep(0)",
    ),
    case(
        "one stmt: set_config(st_timeout,0), sleep",
        "SELECT set_config('statement_timeout', '0', false), pg_sleep(0)",
    ),
    case("DISCARD ALL", "DISCARD ALL"),
)
SERVER = (
    case(
        "pg_terminate_backend(other su)",
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
        " WHERE application_name = 'victim of postgres'",
    ),
    case(
        "pg_terminate_backend(own role)",
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
        " WHERE application_name = 'victim of ' || current_user",
        below=OWN_ROLE,
    ),
    case("pg_reload_conf", "SELECT pg_reload_conf()"),
    case("pg_stat_reset", "SELECT pg_stat_reset()"),
    case("pg_stat_statements_reset", "SELECT pg_stat_statements_reset()"),
    case(
        "create logical slot",
        "SELECT pg_create_logical_replication_slot('made_l', 'test_decoding')",
    ),
    case("create physical slot", "SELECT pg_create_physical_replication_slot('made_p')"),
    case("pg_replication_origin_create", "SELECT pg_replication_origin_create('made')"),
    case("pg_notify", "SELECT pg_notify('bypass', 'x')"),
    case("NOTIFY", "NOTIFY bypass, 'x'"),
    case("pg_rotate_logfile", "SELECT pg_rotate_logfile()"),
    case("pg_switch_wal", "SELECT pg_switch_wal()"),
    case("pg_create_restore_point", "SELECT pg_create_restore_point('made')"),
    case(
        "pg_import_system_collations",
        "SELECT pg_import_system_collations('pg_catalog'::regnamespace)",
    ),
    case(
        "pg_log_backend_memory_contexts", "SELECT pg_log_backend_memory_contexts(pg_backend_pid())"
    ),
    case("pg_logical_emit_message", "SELECT pg_logical_emit_message(false, 'made', 'x')"),
    case("txid_current (assign xid)", "SELECT txid_current()"),
    case("pg_export_snapshot", "SELECT pg_export_snapshot()"),
    case("ALTER SYSTEM", "ALTER SYSTEM SET work_mem = '77MB'"),
    case("VACUUM", "VACUUM t"),
    case("ANALYZE", "ANALYZE t"),
    case("REINDEX", "REINDEX TABLE t"),
    case("CLUSTER", "CLUSTER t USING t_pkey"),
    case("CHECKPOINT", "CHECKPOINT"),
)
FILES = (
    case("COPY TO PROGRAM", COPY.format("copy_program")),
    case("COPY TO file", "COPY t TO '@dir@/copy_file'"),
    case("COPY FROM PROGRAM", "COPY u FROM PROGRAM 'echo 99; echo > @dir@/from_program'"),
    case("pg_read_file(/etc/passwd)", "SELECT pg_read_file('/etc/passwd')"),
    case("pg_ls_dir(/)", "SELECT pg_ls_dir('/')"),
    case("lo_export", "SELECT lo_export(4242, '@dir@/lo_export')"),
    case("lo_create", "SELECT lo_create(0)"),
    case("lo_unlink", "SELECT lo_unlink(4242)"),
    case("lo_put", "SELECT lo_put(4242, 0, 'changed')"),
    case("lo_import", "SELECT lo_import('/etc/hostname')"),
    case("dblink INSERT", f"SELECT dblink_exec('@dsn@', $q${INSERT}$q$)"),
    case("view with dblink", "SELECT * FROM v_dblink"),
)
READING = (*CHANGES, *ENDINGS, *FUNCTIONS, *SESSION, *SERVER, *FILES)
