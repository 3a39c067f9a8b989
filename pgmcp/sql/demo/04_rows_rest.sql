-- Purpose: stock and visits of the sample shop, about 70,000 rows.
-- Needs: 03_rows_shop.sql, in the same session.   Since: 15.
INSERT INTO inventory.warehouses (name, place, opening, network)
VALUES ('Berlin', point(13.40, 52.52), int4range(6, 22), inet '10.1.0.0/16'),
       ('Lyon', point(4.84, 45.76), int4range(7, 20), inet '10.2.0.0/16'),
       ('Porto', point(-8.61, 41.15), int4range(8, 18), inet '10.3.0.0/16');

INSERT INTO inventory.stock (warehouse_id, product_id, quantity, reorder_below)
SELECT warehouse.warehouse_id,
       product.product_id,
       pg_temp.roll(product.product_id * 10 + warehouse.warehouse_id, 80, 200),
       5 + pg_temp.roll(product.product_id, 81, 20)
  FROM inventory.warehouses AS warehouse
 CROSS JOIN shop.products AS product
 ORDER BY warehouse.warehouse_id, product.product_id;

INSERT INTO inventory.movements (movement_id, warehouse_id, product_id, change, moved_at)
SELECT md5('movement ' || n)::uuid,
       1 + pg_temp.roll(n, 82, 3),
       1 + pg_temp.roll(n, 83, 1200),
       CASE WHEN pg_temp.roll(n, 84, 4) = 0 THEN 50 ELSE -1 - pg_temp.roll(n, 85, 5) END,
       timestamptz '2025-01-01 06:00:00+00' + n * interval '1 hour'
  FROM generate_series(1, 16000) AS n;

INSERT INTO analytics.events (occurred_at, visitor, customer_id, kind, path, details, took)
SELECT timestamptz '2025-01-01 00:00:00+00' + n * interval '1170 seconds'
         + pg_temp.roll(n, 90, 1170) * interval '1 second',
       md5('visitor ' || pg_temp.roll(n, 91, 9000))::uuid,
       CASE WHEN pg_temp.roll(n, 92, 3) = 0 THEN 1 + pg_temp.roll(n, 93, 8000) END,
       pg_temp.choose(n, 94, '{view,view,view,view,search,add_to_cart,checkout}'),
       '/product/' || 1 + pg_temp.roll(n, 95, 1200),
       jsonb_build_object(
         'device', pg_temp.choose(n, 96, '{phone,phone,laptop,tablet}'),
         'campaign', CASE WHEN pg_temp.roll(n, 97, 6) = 0 THEN 'spring' END
       ),
       pg_temp.roll(n, 98, 3000) * interval '1 millisecond'
  FROM generate_series(1, 50000) AS n;
