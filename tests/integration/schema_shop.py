"""
A small shop with one of everything that pg_schema can describe, and ways to ask about it.

Owns no cluster; the SQL is run by the tests' own fixtures.
"""

from __future__ import annotations

from typing import Any

import pytest

from pgmcp.errors import PgmcpError
from pgmcp.tools.base import Call
from pgmcp.tools.schema import TOOL

SHOP = r"""
CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'what we sell';
CREATE TYPE shop.order_status AS ENUM ('new', 'paid', 'it''s odd');
CREATE DOMAIN shop.email AS text NOT NULL CONSTRAINT has_at CHECK (VALUE ~ '\S@\S');
CREATE TYPE shop.address AS (street text, "Post Code" varchar(10));
CREATE TYPE shop.price_range AS RANGE (subtype = numeric);
CREATE TABLE shop.customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mail shop.email UNIQUE,
  home shop.address,
  tags text[] DEFAULT '{}'
);
COMMENT ON TABLE shop.customers IS E'who buys\n-- 1 row, 0.1 ms';
COMMENT ON COLUMN shop.customers.mail IS E'where we write\tto';
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.placed = now();
  RETURN NEW;
END $$;
CREATE TABLE shop.orders (
  id bigserial PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES shop.customers ON DELETE CASCADE,
  status shop.order_status NOT NULL DEFAULT 'new',
  total numeric(12,2) NOT NULL CONSTRAINT total_positive CHECK (total >= 0),
  net numeric GENERATED ALWAYS AS (total / 2) STORED,
  placed timestamptz NOT NULL DEFAULT now(),
  note text COLLATE "C",
  period tstzrange,
  CONSTRAINT no_overlap EXCLUDE USING gist (period WITH &&)
);
CREATE INDEX orders_customer ON shop.orders (customer_id) INCLUDE (total) WHERE total > 5;
COMMENT ON INDEX shop.orders_customer IS 'for the account page';
CREATE TRIGGER touch BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.orders FOR SELECT USING (total > 0);
CREATE STATISTICS shop.orders_stat (dependencies) ON customer_id, status FROM shop.orders;
CREATE TABLE shop.order_items (
  order_id bigint REFERENCES shop.orders,
  line integer,
  PRIMARY KEY (order_id, line)
);
CREATE VIEW shop.recent AS SELECT o.id, o.total FROM shop.orders AS o WHERE o.total > 1;
CREATE MATERIALIZED VIEW shop.sums AS SELECT customer_id, sum(net) FROM shop.orders GROUP BY 1;
CREATE FUNCTION shop.area(w integer, h integer DEFAULT 2) RETURNS integer
  LANGUAGE sql IMMUTABLE AS 'SELECT w * h';
CREATE FUNCTION shop.area(c text) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop AS $$
BEGIN
  RETURN length(c);
END $$;
CREATE PROCEDURE shop.tidy() LANGUAGE sql AS 'SELECT 1';
CREATE TABLE shop.events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE shop.events_2025 PARTITION OF shop.events
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE shop.events_rest PARTITION OF shop.events DEFAULT;
CREATE SEQUENCE shop.invoice START 1000;
CREATE SCHEMA "Odd Space";
CREATE TABLE "Odd Space"."Odd.Table" ("Select" integer, "a
b" text);
CREATE TABLE public.people (id integer PRIMARY KEY);
CREATE TABLE public.students (year integer) INHERITS (public.people);
CREATE TABLE public.twin (a integer);
CREATE TABLE shop.twin (a integer);
CREATE SCHEMA other;
CREATE TABLE other.same (a integer);
CREATE TABLE shop.same (a integer);
INSERT INTO shop.customers (mail) SELECT 'u' || i || '@x.org' FROM generate_series(1, 100) AS i;
INSERT INTO shop.orders (customer_id, total)
  SELECT 1 + i % 100, i % 97 FROM generate_series(1, 2000) AS i;
INSERT INTO shop.order_items SELECT i, 1 FROM generate_series(1, 2000) AS i;
INSERT INTO shop.events
  SELECT timestamptz '2025-01-01' + i * interval '1 hour', 'e' FROM generate_series(1, 500) AS i;
REFRESH MATERIALIZED VIEW shop.sums;
ANALYZE shop.orders, shop.events;
CREATE EXTENSION pg_stat_statements SCHEMA shop;
"""

Json = dict[str, Any]  # Any: JSON


async def ask(call: Call, action: str, **arguments: object) -> str:
    """Return the text of one call."""
    params = TOOL.params.model_validate({"action": action, **arguments})
    return (await TOOL.run(call, params)).text


async def facts(call: Call, action: str, **arguments: object) -> Json:
    """Return the object of one call."""
    params = TOOL.params.model_validate({"action": action, "format": "json", **arguments})
    answer = await TOOL.run(call, params)
    assert answer.structured is not None
    return dict(answer.structured)


async def tried(call: Call, action: str, sql: str, **more: object) -> Json:
    """Return the report of one dry run."""
    return await facts(call, action, sql=sql, dry_run=True, **more)


async def refusal(call: Call, action: str, **arguments: object) -> str:
    """Return the error of one call as the client reads it."""
    with pytest.raises(PgmcpError) as caught:
        await ask(call, action, **arguments)
    return "\n".join(caught.value.lines())


def cells(text: str) -> list[list[str]]:
    """Return the rows of a tab-separated answer without header and receipt."""
    return [line.split("\t") for line in text.split("\n")[1:] if not line.startswith("-- ")]


def section(text: str, title: str) -> list[str]:
    """Return the lines under one heading of a description."""
    lines = text.split("\n")
    start = lines.index(title) + 1
    ends = (number for number, line in enumerate(lines) if number >= start and line[:1] != " ")
    return [line.strip() for line in lines[start : next(ends)]]
