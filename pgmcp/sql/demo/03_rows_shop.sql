-- Purpose: what the sample shop sells and who buys it, about 150,000 rows.
-- Needs: 02_tables.sql.   Since: 15.
-- A hash of the row's number stands for chance, so that every load makes the same rows.
CREATE FUNCTION pg_temp.roll(number bigint, salt bigint, sides integer) RETURNS integer
  LANGUAGE sql IMMUTABLE
  RETURN ((pg_catalog.hashint8extended(number, salt) & 2147483647) % sides)::integer;

CREATE FUNCTION pg_temp.choose(number bigint, salt bigint, words text[]) RETURNS text
  LANGUAGE sql IMMUTABLE
  RETURN words[1 + ((pg_catalog.hashint8extended(number, salt) & 2147483647) % cardinality(words))];

INSERT INTO shop.categories (parent_id, name)
VALUES (NULL, 'Kitchen'), (NULL, 'Garden'), (NULL, 'Office'), (NULL, 'Outdoors'), (NULL, 'Books');

INSERT INTO shop.categories (parent_id, name)
SELECT top.category_id, top.name || ': ' || part.name
  FROM shop.categories AS top
 CROSS JOIN (VALUES ('basics'), ('tools'), ('storage'), ('gifts')) AS part (name)
 ORDER BY top.category_id, part.name;

INSERT INTO shop.products (category_id, sku, name, tags, attributes, weight_grams, is_active)
SELECT 6 + pg_temp.roll(n, 1, 20),
       'SKU-' || lpad(n::text, 5, '0'),
       concat_ws(
         ' ',
         pg_temp.choose(n, 2, '{Small,Large,Folding,Classic,Quiet,Bright,Sturdy,Light}'),
         pg_temp.choose(n, 3, '{Oak,Steel,Copper,Linen,Glass,Bamboo,Wool,Ceramic}'),
         pg_temp.choose(n, 4, '{Kettle,Lamp,Shelf,Knife,Notebook,Chair,Basket,Tent,Bottle,Clock}'),
         n::text
       ),
       ARRAY[
         pg_temp.choose(n, 5, '{new,sale,handmade,bestseller}'),
         pg_temp.choose(n, 6, '{recycled,vegan,fragile,heavy}')
       ],
       jsonb_build_object(
         'colour', pg_temp.choose(n, 7, '{red,green,blue,natural,black,white}'),
         'warranty_months', 12 * (1 + pg_temp.roll(n, 8, 5)),
         'size', jsonb_build_object('cm', 5 + pg_temp.roll(n, 9, 150))
       ),
       50 + pg_temp.roll(n, 10, 9950),
       pg_temp.roll(n, 11, 20) > 0
  FROM generate_series(1, 1200) AS n;

-- Three prices each: two that have ended, and one that is still open.
INSERT INTO shop.prices (product_id, price, valid)
SELECT product.product_id,
       round((3 + pg_temp.roll(product.product_id, 12, 24000) / 100.0) * (1 + 0.03 * step), 2),
       tstzrange(
         timestamptz '2025-01-01 00:00:00+00' + step * interval '8 months',
         CASE
           WHEN step < 2
           THEN timestamptz '2025-01-01 00:00:00+00' + (step + 1) * interval '8 months'
         END
       )
  FROM shop.products AS product
 CROSS JOIN generate_series(0, 2) AS step
 ORDER BY product.product_id, step;

INSERT INTO shop.customers
       (email, full_name, address, phones, preferences, birthday, created_at, deleted_at)
SELECT lower(person.first_name || '.' || person.last_name || person.n) || '@example.com',
       person.first_name || ' ' || person.last_name,
       ROW(
         pg_temp.choose(person.n, 23, '{Station Road,Mill Lane,Rue Verte,Lindenweg,Calle Mayor}')
           || ' ' || 1 + pg_temp.roll(person.n, 24, 180),
         lpad(pg_temp.roll(person.n, 25, 99999)::text, 5, '0'),
         pg_temp.choose(person.n, 26, '{Berlin,Lyon,Porto,Gdańsk,Malmö,Graz,Ghent,Cork}'),
         pg_temp.choose(person.n, 26, '{DE,FR,PT,PL,SE,AT,BE,IE}')
       )::shop.postal_address,
       CASE
         WHEN pg_temp.roll(person.n, 27, 4) = 0 THEN '{}'::text[]
         ELSE ARRAY['+49 30 ' || 100000 + pg_temp.roll(person.n, 28, 899999)]
       END,
       jsonb_build_object(
         'newsletter', pg_temp.roll(person.n, 29, 3) = 0,
         'language', pg_temp.choose(person.n, 30, '{de,fr,pt,pl,sv,en}')
       ),
       CASE
         WHEN pg_temp.roll(person.n, 31, 5) > 0
         THEN date '1950-01-01' + pg_temp.roll(person.n, 32, 20000)
       END,
       person.created_at,
       CASE
         WHEN pg_temp.roll(person.n, 33, 50) = 0
         THEN timestamptz '2026-11-01 00:00:00+00'
                + pg_temp.roll(person.n, 35, 150) * interval '1 hour'
       END
  FROM (
         SELECT n,
                pg_temp.choose(
                  n, 20, '{Ana,Bob,Chloé,Dmitri,Emma,Farid,Grace,Hugo,Ines,Jonas,Käthe,Liam}'
                ) AS first_name,
                pg_temp.choose(
                  n, 21, '{Nowak,Silva,Müller,Dubois,Larsson,Byrne,Kaya,Rossi,Novák,Haddad}'
                ) AS last_name,
                timestamptz '2023-06-01 00:00:00+00' + pg_temp.roll(n, 22, 570) * interval '1 day'
                  + pg_temp.roll(n, 34, 86400) * interval '1 second' AS created_at
           FROM generate_series(1, 8000) AS n
       ) AS person;

-- Squares of a fraction: a few customers order often, most rarely. Later orders are more frequent.
INSERT INTO shop.orders (customer_id, status, ordered_at, updated_at, ship_to, note)
SELECT customer.customer_id,
       CASE
         WHEN bought.days < 650 THEN
           (ARRAY['delivered', 'delivered', 'delivered', 'delivered', 'returned', 'cancelled'])
             [1 + pg_temp.roll(bought.n, 42, 6)]
         ELSE (ARRAY['draft', 'paid', 'packed', 'shipped'])[1 + pg_temp.roll(bought.n, 43, 4)]
       END::shop.order_status,
       bought.ordered_at,
       bought.ordered_at + pg_temp.roll(bought.n, 44, 200) * interval '1 hour',
       CASE WHEN pg_temp.roll(bought.n, 45, 10) > 0 THEN customer.address END,
       CASE
         WHEN pg_temp.roll(bought.n, 46, 25) = 0
         THEN pg_temp.choose(bought.n, 47, '{Leave with a neighbour,"It is a gift","Ring twice"}')
       END
  FROM (
         SELECT n,
                1 + floor(8000 * power(pg_temp.roll(n, 40, 100000) / 100000.0, 2))::integer
                  AS customer_id,
                675 * sqrt(n / 36000.0) AS days,
                timestamptz '2025-01-01 00:00:00+00' + 675 * sqrt(n / 36000.0) * interval '1 day'
                  + pg_temp.roll(n, 41, 3600) * interval '1 second' AS ordered_at
           FROM generate_series(1, 36000) AS n
       ) AS bought
  JOIN shop.customers AS customer
    ON customer.customer_id = bought.customer_id
 ORDER BY bought.n;

-- Without statistics the next join takes half a minute instead of a second.
ANALYZE shop.products, shop.prices, shop.orders;

-- One to four lines an order, at the price of the day.
INSERT INTO shop.order_items (order_id, line, product_id, quantity, unit_price)
SELECT sold.order_id, sold.line, sold.product_id, 1 + pg_temp.roll(sold.n, 51, 4), price.price
  FROM (
         SELECT bought.order_id, bought.ordered_at, line, 10 * bought.order_id + line AS n,
                1 + pg_temp.roll(10 * bought.order_id + line, 50, 1200) AS product_id
           FROM shop.orders AS bought
          CROSS JOIN LATERAL generate_series(1, 1 + pg_temp.roll(bought.order_id, 52, 4)) AS line
       ) AS sold
  JOIN shop.prices AS price
    ON price.product_id = sold.product_id
   AND price.valid @> sold.ordered_at
 ORDER BY sold.order_id, sold.line;

INSERT INTO shop.reviews (product_id, customer_id, stars, words, written_at)
SELECT item.product_id,
       bought.customer_id,
       5 - least(pg_temp.roll(bought.order_id, 60, 6), pg_temp.roll(bought.order_id, 61, 5)),
       pg_temp.choose(
         bought.order_id,
         62,
         '{"Does what it should","Broke after a week","A present; she loves it",Fine}'
       ),
       bought.ordered_at + interval '10 days'
  FROM shop.orders AS bought
  JOIN shop.order_items AS item
    ON item.order_id = bought.order_id
   AND item.line = 1
 WHERE pg_temp.roll(bought.order_id, 63, 5) = 0
ON CONFLICT DO NOTHING;

INSERT INTO shop.customer_notes (customer_id, is_internal, words)
SELECT customer_id,
       pg_temp.roll(customer_id, 70, 2) = 0,
       pg_temp.choose(
         customer_id,
         71,
         '{"Prefers mornings","Asked for an invoice","Called twice about a parcel"}'
       )
  FROM shop.customers
 WHERE pg_temp.roll(customer_id, 72, 10) = 0
 ORDER BY customer_id;
