-- Purpose: the schemas and types of the sample shop.
-- Needs: 00_extensions.sql; to own the database.   Since: 15.
CREATE SCHEMA shop;
CREATE SCHEMA inventory;
CREATE SCHEMA analytics;

COMMENT ON SCHEMA shop IS 'What is sold, to whom, and at which price';
COMMENT ON SCHEMA inventory IS 'Where the goods lie and how they move';
COMMENT ON SCHEMA analytics IS 'What visitors do, and the numbers for the morning meeting';

CREATE TYPE shop.order_status AS ENUM (
  'draft', 'paid', 'packed', 'shipped', 'delivered', 'returned', 'cancelled'
);
COMMENT ON TYPE shop.order_status
  IS 'The way of an order, in this order; returned and cancelled are final';

CREATE TYPE shop.postal_address AS (street text, postcode text, city text, country character(2));
COMMENT ON TYPE shop.postal_address IS 'Where a parcel goes; country is ISO 3166-1 alpha-2';

CREATE DOMAIN shop.email AS text
  CONSTRAINT email_has_one_at CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$');
COMMENT ON DOMAIN shop.email IS 'An address to write to; lower case by convention';
