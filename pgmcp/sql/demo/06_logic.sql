-- Purpose: the views, functions and triggers of the sample shop.
-- Needs: 05_indexes.sql.   Since: 15.
CREATE VIEW shop.current_prices AS
SELECT product.product_id, product.sku, product.name, price.price, lower(price.valid) AS since
  FROM shop.products AS product
  JOIN shop.prices AS price
    ON price.product_id = product.product_id
   AND upper_inf(price.valid)
 WHERE product.is_active;
COMMENT ON VIEW shop.current_prices IS 'What can be bought, and for how much';

CREATE VIEW shop.order_totals AS
SELECT bought.order_id, bought.customer_id, bought.status, bought.ordered_at,
       count(item.line) AS lines,
       coalesce(sum(item.line_total), 0) AS total
  FROM shop.orders AS bought
  LEFT JOIN shop.order_items AS item
    ON item.order_id = bought.order_id
 GROUP BY bought.order_id;
COMMENT ON VIEW shop.order_totals IS 'Every order with its sum in euros';

CREATE VIEW inventory.to_reorder AS
SELECT warehouse.name AS warehouse, product.sku, product.name, stock.quantity, stock.reorder_below
  FROM inventory.stock AS stock
  JOIN inventory.warehouses AS warehouse
    ON warehouse.warehouse_id = stock.warehouse_id
  JOIN shop.products AS product
    ON product.product_id = stock.product_id
 WHERE stock.quantity < stock.reorder_below;
COMMENT ON VIEW inventory.to_reorder IS 'What runs low';

CREATE MATERIALIZED VIEW analytics.monthly_sales AS
SELECT date_trunc('month', bought.ordered_at, 'UTC')::date AS month,
       category.name AS category,
       count(DISTINCT bought.order_id) AS orders,
       sum(item.quantity) AS pieces,
       sum(item.line_total) AS revenue
  FROM shop.orders AS bought
  JOIN shop.order_items AS item
    ON item.order_id = bought.order_id
  JOIN shop.products AS product
    ON product.product_id = item.product_id
  JOIN shop.categories AS category
    ON category.category_id = product.category_id
 WHERE bought.status NOT IN ('draft', 'returned', 'cancelled')
 GROUP BY 1, 2;
CREATE UNIQUE INDEX monthly_sales_key ON analytics.monthly_sales (month, category);
COMMENT ON MATERIALIZED VIEW analytics.monthly_sales
  IS 'Sales by month and category; refreshed at night';

CREATE FUNCTION shop.price_at(product integer, moment timestamptz DEFAULT now()) RETURNS numeric
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT price.price
    FROM shop.prices AS price
   WHERE price.product_id = price_at.product
     AND price.valid @> price_at.moment;
END;
COMMENT ON FUNCTION shop.price_at IS 'The price of a product at a moment, NULL when it had none';

CREATE PROCEDURE inventory.move(warehouse integer, product integer, change integer)
  LANGUAGE plpgsql
AS $$
BEGIN
  UPDATE inventory.stock AS stock
     SET quantity = stock.quantity + move.change
   WHERE stock.warehouse_id = move.warehouse
     AND stock.product_id = move.product;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'warehouse % has no place for product %', warehouse, product
      USING ERRCODE = 'foreign_key_violation';
  END IF;
  INSERT INTO inventory.movements (warehouse_id, product_id, change)
  VALUES (move.warehouse, move.product, move.change);
END
$$;
COMMENT ON PROCEDURE inventory.move IS 'Book goods in (positive) or out (negative)';

CREATE FUNCTION shop.touch_order() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION shop.touch_order IS 'Keeps orders.updated_at true';

CREATE TRIGGER touch_order
  BEFORE UPDATE ON shop.orders
  FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.*)
  EXECUTE FUNCTION shop.touch_order();
