"""
What a caller may try who writes, or who makes tables, to get beyond its level.

Owns the tables; each statement goes to every tool that takes SQL. *below* as in `cases`.
"""

from __future__ import annotations

from tests.bypass.cases import Case, case

WRITES = "pgmcp_write may change these rows by itself: the gate keeps SQL in texts out of reach"
NOTIFIES = "anybody may notify, and a write commits: the gate stops it"
OWN_ROLE = "a role may end its own sessions: the gate stops it"
ITSELF = "a role may change its own password and settings: the gate stops it"
PREPARED = "a role may prepare a transaction: the gate stops it"
LARGE = "anybody may make large objects, and a write commits: the gate stops it"
OWNS = "it runs with the rights of pgmcp_ddl, which made it, and no more: the gate stops it"
UNREAD = "the view is made, and reading it is refused: the gate stops it before"
DELETE = "DELETE FROM t WHERE id = 1"
BODY = "LANGUAGE sql AS 'SELECT 1'"

# Of one statement each, unless they need two.
WRITING: tuple[Case, ...] = (
    *(
        case(name, sql)
        for name, sql in (
            ("CREATE TABLE", "CREATE TABLE made (a int)"),
            ("CREATE TABLE AS", "CREATE TABLE made AS SELECT 1 AS a"),
            ("SELECT INTO", "SELECT 1 AS a INTO made"),
            ("CREATE TEMP TABLE", "CREATE TEMP TABLE made (a int)"),
            ("CREATE SCHEMA", "CREATE SCHEMA made"),
            ("CREATE FUNCTION", f"CREATE FUNCTION made() RETURNS integer {BODY}"),
            ("CREATE pg_temp function", f"CREATE FUNCTION pg_temp.made() RETURNS integer {BODY}"),
            ("ALTER TABLE", "ALTER TABLE t ADD made integer"),
            ("DROP TABLE", "DROP TABLE t"),
            ("DROP FUNCTION", "DROP FUNCTION fn_insert()"),
            ("COMMENT", "COMMENT ON TABLE t IS 'made'"),
            (
                "CREATE TRIGGER",
                "CREATE TRIGGER made AFTER INSERT ON t EXECUTE FUNCTION fn_insert()",
            ),
            ("CREATE RULE", "CREATE RULE made AS ON INSERT TO t DO ALSO DELETE FROM u"),
            ("CREATE POLICY", "CREATE POLICY made ON t"),
            ("CREATE EXTENSION", "CREATE EXTENSION pg_trgm"),
            ("CREATE DATABASE", "CREATE DATABASE made"),
            ("DROP DATABASE", "DROP DATABASE bypass_other"),
            ("ALTER DATABASE", "ALTER DATABASE bypass SET work_mem = '77MB'"),
            ("CREATE ROLE", "CREATE ROLE made SUPERUSER LOGIN"),
            ("ALTER ROLE itself", "ALTER ROLE pgmcp_write SUPERUSER"),
            ("GRANT a predefined role", "GRANT pg_write_server_files TO pgmcp_write"),
            ("GRANT on a table", "GRANT ALL ON t TO PUBLIC"),
            ("REVOKE on a table", "REVOKE ALL ON t FROM pgmcp_read"),
            ("ALTER DEFAULT PRIVILEGES", "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC"),
            ("REASSIGN OWNED", "REASSIGN OWNED BY postgres TO pgmcp_write"),
            ("DROP OWNED", "DROP OWNED BY pgmcp_read"),
            ("ALTER SYSTEM", "ALTER SYSTEM SET work_mem = '77MB'"),
            ("UPDATE pg_authid", "UPDATE pg_authid SET rolsuper = true"),
            ("UPDATE pg_proc", "UPDATE pg_proc SET prosecdef = true WHERE proname = 'fn_insert'"),
            ("DELETE from pg_depend", "DELETE FROM pg_depend WHERE true"),
            ("COPY TO PROGRAM", "COPY (SELECT 1) TO PROGRAM 'cat > @dir@/write_to'"),
            ("COPY FROM PROGRAM", "COPY u FROM PROGRAM 'echo 1; echo > @dir@/write_from'"),
            ("COPY TO file", "COPY t TO '@dir@/write_file'"),
            ("COPY FROM file", "COPY u FROM '/etc/passwd'"),
            ("pg_read_file", "INSERT INTO t SELECT 90, 90, pg_read_file('/etc/passwd')"),
            ("pg_ls_dir", "SELECT pg_ls_dir('/')"),
            ("lo_import", "SELECT lo_import('/etc/passwd')"),
            ("lo_export", "SELECT lo_export(4242, '@dir@/write_export')"),
            ("lo_unlink", "SELECT lo_unlink(4242)"),
            ("lo_put", "SELECT lo_put(4242, 0, 'changed')"),
            ("dblink_exec", f"SELECT dblink_exec('@dsn@', $q${DELETE}$q$)"),
            (
                "pg_terminate_backend",
                (
                    "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
                    " WHERE application_name = 'victim of postgres'"
                ),
            ),
            ("pg_reload_conf", "SELECT pg_reload_conf()"),
            ("pg_stat_reset", "SELECT pg_stat_reset()"),
            ("pg_switch_wal", "SELECT pg_switch_wal()"),
            ("a logical slot", "SELECT pg_create_logical_replication_slot('w', 'test_decoding')"),
            ("a physical slot", "SELECT pg_create_physical_replication_slot('w')"),
            ("a replication origin", "SELECT pg_replication_origin_create('w')"),
            ("SET ROLE", "SET ROLE pgmcp_ddl"),
            ("SET SESSION AUTHORIZATION", "SET SESSION AUTHORIZATION postgres"),
            ("set_config(role)", "SELECT set_config('role', 'pgmcp_admin', false)"),
            ("session_replication_role", "SET session_replication_role = replica"),
            ("pg_advisory_lock", "SELECT pg_advisory_lock(4711)"),
            ("LISTEN", "LISTEN bypass"),
            ("PREPARE", f"PREPARE made AS {DELETE}"),
            ("DECLARE WITH HOLD", "DECLARE made CURSOR WITH HOLD FOR SELECT 1"),
            ("DEALLOCATE ALL", "DEALLOCATE ALL"),
            ("DISCARD ALL", "DISCARD ALL"),
            ("LOAD", "LOAD 'tablefunc'"),
            ("VACUUM", "VACUUM t"),
            ("ANALYZE", "ANALYZE t"),
            ("REINDEX", "REINDEX TABLE t"),
            ("CLUSTER", "CLUSTER t USING t_pkey"),
            ("CHECKPOINT", "CHECKPOINT"),
            ("COMMIT", "COMMIT"),
            ("query_to_xml(DELETE)", f"SELECT query_to_xml($q${DELETE}$q$, true, true, '')"),
            ("two statements", f"SELECT 1; {DELETE}"),
        )
    ),
    case("ALTER ROLE SET", "ALTER ROLE pgmcp_write SET work_mem = '77MB'", below=ITSELF),
    case("its own password", "ALTER ROLE pgmcp_write PASSWORD 'made'", below=ITSELF),
    case("DO", f"DO $d$ BEGIN {DELETE}; END $d$", below=WRITES),
    case("NOTIFY", "NOTIFY bypass", below=NOTIFIES),
    case("pg_notify", "SELECT pg_notify('bypass', 'x')", below=NOTIFIES),
    case("lo_create", "SELECT lo_create(0)", below=LARGE),
    case("lo_from_bytea", "SELECT lo_from_bytea(0, 'x')", below=LARGE),
    case("PREPARE TRANSACTION", "PREPARE TRANSACTION 'made'", below=PREPARED),
    case(
        "pg_terminate_backend of its own role",
        "SELECT pg_terminate_backend(pid, 2000)"
        " FROM pg_stat_activity WHERE application_name = 'victim of ' || current_user",
        below=OWN_ROLE,
    ),
)

DEFINER = "CREATE FUNCTION made() RETURNS integer SECURITY DEFINER"
DEFINING: tuple[Case, ...] = (
    *(
        case(name, sql)
        for name, sql in (
            ("ALTER FUNCTION SECURITY DEFINER", "ALTER FUNCTION fn_insert() SECURITY DEFINER"),
            (
                "language internal",
                "CREATE FUNCTION made(text) RETURNS text LANGUAGE internal AS 'pg_read_file_all'",
            ),
            ("language c", "CREATE FUNCTION made() RETURNS integer LANGUAGE c AS 'x', 'y'"),
            (
                "language plpython3u",
                "CREATE FUNCTION made() RETURNS integer LANGUAGE plpython3u AS 'return 1'",
            ),
            ("CREATE LANGUAGE", "CREATE LANGUAGE plperlu"),
            ("CREATE EXTENSION", "CREATE EXTENSION file_fdw"),
            ("CREATE SERVER", "CREATE SERVER made FOREIGN DATA WRAPPER dblink_fdw"),
            ("CREATE FOREIGN DATA WRAPPER", "CREATE FOREIGN DATA WRAPPER made"),
            ("CREATE USER MAPPING", "CREATE USER MAPPING FOR CURRENT_USER SERVER made"),
            (
                "a foreign table over a program",
                "CREATE FOREIGN TABLE made (a text) SERVER made OPTIONS (program 'id')",
            ),
            (
                "CREATE EVENT TRIGGER",
                "CREATE EVENT TRIGGER made ON ddl_command_end EXECUTE FUNCTION fn_insert()",
            ),
            (
                "CREATE SUBSCRIPTION",
                "CREATE SUBSCRIPTION made CONNECTION '@dsn@' PUBLICATION p WITH (connect = false)",
            ),
            ("CREATE TABLESPACE", "CREATE TABLESPACE made LOCATION '@dir@'"),
            ("CREATE CAST without a function", "CREATE CAST (text AS u) WITHOUT FUNCTION"),
            (
                "CREATE OPERATOR CLASS",
                (
                    "CREATE OPERATOR CLASS made DEFAULT FOR TYPE integer"
                    " USING btree AS OPERATOR 1 <, FUNCTION 1 fn_copy(integer, integer)"
                ),
            ),
            ("a table of the system's", "CREATE TABLE pg_catalog.made (a int)"),
            (
                "a function of the system's",
                f"CREATE FUNCTION pg_catalog.made() RETURNS integer {BODY}",
            ),
            ("ALTER ROLE itself", "ALTER ROLE pgmcp_ddl SUPERUSER"),
            ("CREATE ROLE", "CREATE ROLE made SUPERUSER LOGIN"),
            ("GRANT programs", "GRANT pg_execute_server_program TO pgmcp_ddl"),
            ("GRANT a superuser", "GRANT postgres TO pgmcp_ddl"),
            ("a superuser's password", "ALTER ROLE postgres PASSWORD 'made'"),
            ("DROP ROLE", "DROP ROLE pgmcp_backup"),
            ("ALTER DATABASE OWNER", "ALTER DATABASE bypass OWNER TO pgmcp_ddl"),
            ("DROP DATABASE", "DROP DATABASE bypass_other"),
            ("ALTER SYSTEM", "ALTER SYSTEM SET archive_command = 'true'"),
            ("COPY TO PROGRAM", "COPY (SELECT 1) TO PROGRAM 'cat > @dir@/ddl_program'"),
            ("SET ROLE", "SET ROLE postgres"),
            ("pg_authid in a table", "CREATE TABLE made AS SELECT * FROM pg_authid"),
        )
    ),
    case(
        "pg_read_file in a view",
        "CREATE VIEW made AS SELECT pg_read_file('/etc/passwd') AS secret",
        below=UNREAD,
    ),
    case("pg_authid in a view", "CREATE VIEW made AS SELECT * FROM pg_authid", below=UNREAD),
    case("SECURITY DEFINER", f"{DEFINER} {BODY}", below=OWNS),
    case(
        "SECURITY DEFINER given to a superuser",
        f"{DEFINER} {BODY}",
        "ALTER FUNCTION made() OWNER TO postgres",
    ),
    case(
        "SECURITY DEFINER in a schema's elements", f"CREATE SCHEMA made; {DEFINER} {BODY}", below=""
    ),
)
# What only its owner may do, so that nothing is refused where everybody is the superuser.
OWNED: tuple[Case, ...] = tuple(
    case(name, sql)
    for name, sql in (
        ("OWNER TO itself", "ALTER FUNCTION fn_insert() OWNER TO pgmcp_ddl"),
        (
            "replace a SECURITY DEFINER function",
            f"CREATE OR REPLACE FUNCTION fn_copy() RETURNS integer {BODY}",
        ),
        ("DROP somebody's table", "DROP TABLE t"),
    )
)
