"""
Calls of every action of every tool, in the shop of schema_shop and with what ODD adds to it.

Owns the table only: what a call answers is nobody's matter here.
"""

from __future__ import annotations

from typing import Any, get_args

from pgmcp.tools.monitor import MonitorParams

Arguments = dict[str, Any]  # Any: JSON
ODD = """
CREATE ROLE alice;
CREATE TABLE public.item (id serial PRIMARY KEY, status shop.order_status, home shop.address);
INSERT INTO public.item (status, home) VALUES ('new', '(a,b)');
CREATE FUNCTION public.owned() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION shop.pg_stat_statements_reset(integer, oid, integer) RETURNS void LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'a trap has fired'; END$$;
"""
KINDS = ["table", "view", "materialized view", "partition", "column", "index", "sequence"]
KINDS += ["function", "type", "domain", "constraint", "trigger", "policy", "schema", "extension"]
NAMES = ["shop.orders", "orders", "item", "shop.customers", "shop.events", "shop.recent", "twin"]
NAMES += [
    "shop.area",
    "shop.area(integer, integer)",
    "shop.order_status",
    "shop.email",
    "shop.sums",
]
NAMES += ["shop.address", "shop.price_range", "shop.invoice", "shop.orders_customer", "shop"]
NAMES += ["shop.touch", "orders.total", "pg_stat_statements", "nothing_of_it", "trap", "students"]
DDL = [
    ("create", "CREATE TABLE shop.made (id integer PRIMARY KEY, status shop.order_status)"),
    ("create", "CREATE INDEX CONCURRENTLY made_status ON shop.made (status)"),
    ("create", "CREATE VIEW shop.made_view AS SELECT id FROM shop.made"),
    ("alter", "ALTER TABLE shop.made ADD COLUMN more integer NOT NULL DEFAULT 1"),
    ("alter", "ALTER TABLE shop.orders ALTER COLUMN note TYPE varchar(10), DROP COLUMN period"),
    ("alter", "ALTER TABLE shop.order_items ADD FOREIGN KEY (line) REFERENCES shop.orders"),
    ("drop", "DROP TABLE shop.made CASCADE"),
    ("drop", "DROP INDEX CONCURRENTLY shop.orders_customer"),
    ("drop", "DROP FUNCTION shop.area(text)"),
    ("drop", "DROP TYPE shop.address CASCADE"),
    ("drop", "DROP SCHEMA shop CASCADE"),
    ("drop", "ALTER TABLE shop.customers DROP COLUMN mail CASCADE"),
    ("drop", "DROP POLICY own ON shop.orders"),
    ("drop", "DROP EXTENSION pg_stat_statements"),
]
READS = [
    "SELECT id, status, home FROM public.item",
    "SELECT * FROM shop.orders",
    "SELECT period, tags FROM shop.orders CROSS JOIN shop.customers LIMIT 3",
    "SELECT public.owned()",
    "SELECT totl FROM shop.orders",
    "SELECT id FROM shop.orderz",
    "SELECT shop.aera(1)",
    "SELECT id FROM shp.orders",
    "SHOW work_mem",
    "EXPLAIN SELECT id FROM shop.orders",
]
WRITES = [
    "INSERT INTO public.item (status) VALUES ('paid') RETURNING id, status, home",
    "UPDATE public.item SET home = '(c,d)'",
    "DELETE FROM shop.customers",
    "TRUNCATE shop.orders CASCADE",
]
ADMIN: list[Arguments] = [
    {"action": "databases", "name": "a*"},
    {"action": "roles"},
    {"action": "roles", "name": "pg*"},
    {"action": "extensions"},
    {"action": "extensions", "full": True},
    {"action": "setting", "name": "*mem*"},
    {"action": "grant", "on": "table shop.orders", "privileges": ["SELECT"], "to": "alice"},
    {"action": "grant", "on": "table shop.orders(id)", "privileges": ["SELECT"], "to": "alice"},
    {"action": "grant", "on": "schema shop", "privileges": ["USAGE"], "to": "alice"},
    {"action": "grant", "on": "all tables in schema shop", "privileges": ["ALL"], "to": "alice"},
    {"action": "grant", "on": "function shop.area(text)", "privileges": ["ALL"], "to": "alice"},
    {"action": "grant", "on": "function owned", "privileges": ["ALL"], "to": "alice"},
    {"action": "grant", "on": "type shop.order_status", "privileges": ["ALL"], "to": "alice"},
    {"action": "grant", "on": "database app", "privileges": ["CONNECT"], "to": "alice"},
    {
        "action": "grant",
        "on": "future tables in schema shop",
        "privileges": ["SELECT"],
        "to": "alice",
    },
    {"action": "grant", "on": "parameter work_mem", "privileges": ["SET"], "to": "alice"},
    {"action": "grant", "on": "role alice", "to": "pgmcp_read"},
    {"action": "revoke", "on": "role alice", "to": "pgmcp_read"},
    {"action": "revoke", "on": "table shop.orders", "privileges": ["ALL"], "to": "alice"},
    {"action": "create_extension", "name": "hstore"},
    {"action": "drop_extension", "name": "hstore"},
    {"action": "vacuum", "table": "item"},
    {"action": "vacuum", "schema": "shop"},
    {"action": "vacuum", "table": "item", "full": True},
    {"action": "analyze", "table": "shop.orders"},
    {"action": "analyze", "schema": "shop"},
    {"action": "analyze"},
    {"action": "reindex", "table": "item"},
    {"action": "reindex", "schema": "shop"},
    {"action": "reindex", "name": "shop.orders_customer"},
    {"action": "reset_statistics"},
    {"action": "reset_statistics", "table": "item"},
    {"action": "reset_statistics", "name": "pg_stat_statements"},
    {"action": "reset_statistics", "name": "wal"},
    {"action": "set", "database": "app", "name": "log_statement", "value": "ddl"},
    {"action": "reset", "database": "app", "name": "log_statement"},
    {"action": "set", "name": "work_mem", "value": "5MB"},
    {"action": "reset", "name": "work_mem"},
    {"action": "set", "to": "alice", "name": "work_mem", "value": "5MB"},
    {"action": "reload"},
    {"action": "cancel", "pid": 1},
    {"action": "terminate", "pid": 1},
    {"action": "backup", "schema": "other"},
    {"action": "backup", "table": "shop.events"},
    {"action": "create_role", "name": "newcomer", "attributes": ["LOGIN"]},
    {"action": "alter_role", "name": "newcomer", "attributes": ["CREATEDB"]},
    {"action": "drop_role", "name": "newcomer"},
    {"action": "drop_role", "name": "app owner"},
    {"action": "create_database", "name": "made", "template": "template1"},
    {"action": "create_database", "name": "copied", "template": "postgres"},
    {"action": "drop_database", "name": "made"},
    {"action": "drop_extension", "name": "pg_stat_statements", "full": True},
]
CALLS: list[tuple[str, Arguments]] = [
    *(
        ("pg_monitor", {"action": action})
        for action in get_args(MonitorParams.model_fields["action"].annotation)
    ),
    *(("pg_monitor", {"action": action, "pattern": "*a*"}) for action in ("tables", "activity")),
    ("pg_schema", {"action": "list"}),
    ("pg_schema", {"action": "list", "schema": "shop", "pattern": "or*"}),
    *(("pg_schema", {"action": "list", "kind": kind}) for kind in KINDS),
    *(("pg_schema", {"action": "describe", "name": name}) for name in NAMES),
    *(("pg_schema", {"action": "search", "pattern": word}) for word in ("order", "shop.*", "e*")),
    *(
        ("pg_schema", {"action": action, "sql": sql, "dry_run": True})
        for action, sql in DDL
        if "CONCURRENTLY" not in sql
    ),
    *(("pg_query", {"sql": sql}) for sql in READS),
    ("pg_query", {"sql": "SELECT id FROM shop.orders", "explain": "analyze"}),
    *(("pg_query", {"sql": sql, "mode": "write"}) for sql in WRITES[:2]),
    *(("pg_admin", arguments) for arguments in ADMIN),
    *(("pg_schema", {"action": action, "sql": sql}) for action, sql in DDL[:4]),
    *(("pg_query", {"sql": sql, "mode": "write"}) for sql in WRITES[2:]),
]
