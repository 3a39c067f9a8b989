-- Purpose: the indexes and comments of the sample shop.
-- Needs: 04_rows_rest.sql.   Since: 15.
CREATE INDEX products_category ON shop.products (category_id);
CREATE INDEX products_attributes ON shop.products USING gin (attributes jsonb_path_ops);
CREATE INDEX products_tags ON shop.products USING gin (tags);
CREATE INDEX products_search ON shop.products USING gin (search);
CREATE UNIQUE INDEX customers_email ON shop.customers (lower(email)) WHERE deleted_at IS NULL;
CREATE INDEX customers_name ON shop.customers (lower(full_name));
CREATE INDEX orders_customer ON shop.orders (customer_id, ordered_at DESC) INCLUDE (status);
CREATE INDEX orders_open ON shop.orders (ordered_at) WHERE status IN ('draft', 'paid', 'packed');
CREATE INDEX order_items_product ON shop.order_items (product_id);
CREATE INDEX movements_stock ON inventory.movements (warehouse_id, product_id);
CREATE INDEX events_occurred ON analytics.events USING brin (occurred_at);
CREATE INDEX events_customer ON analytics.events (customer_id) WHERE customer_id IS NOT NULL;

COMMENT ON TABLE shop.categories IS 'What products are grouped by; two levels';
COMMENT ON TABLE shop.products IS 'Everything that was ever sold';
COMMENT ON COLUMN shop.products.sku IS 'Printed on the parcel; never changes';
COMMENT ON COLUMN shop.products.attributes IS 'colour, warranty_months, size.cm';
COMMENT ON COLUMN shop.products.weight_grams IS 'With packaging';
COMMENT ON TABLE shop.prices IS 'Which price a product had when; the periods never overlap';
COMMENT ON COLUMN shop.prices.price IS 'Euros, including tax';
COMMENT ON TABLE shop.customers IS 'Who ever opened an account';
COMMENT ON COLUMN shop.customers.deleted_at
  IS 'Set when the account was closed; the row stays for the books';
COMMENT ON TABLE shop.orders IS 'One basket that somebody paid for, or is about to';
COMMENT ON COLUMN shop.orders.ship_to IS 'NULL: collected at a warehouse';
COMMENT ON TABLE shop.order_items IS 'The lines of an order, at the price of its day';
COMMENT ON COLUMN shop.order_items.line_total IS 'Euros; computed';
COMMENT ON TABLE shop.reviews IS 'What customers think; one review for a product and customer';
COMMENT ON TABLE shop.customer_notes
  IS 'Notes of the support team; row security hides internal ones';
COMMENT ON TABLE inventory.warehouses IS 'Where goods lie';
COMMENT ON COLUMN inventory.warehouses.place IS 'Longitude, latitude';
COMMENT ON COLUMN inventory.warehouses.opening IS 'Hours of the day, local time';
COMMENT ON TABLE inventory.stock IS 'How many of a product lie where';
COMMENT ON TABLE inventory.movements IS 'Goods in (positive) and out (negative)';
COMMENT ON TABLE analytics.events IS 'What visitors did; one partition a month';
COMMENT ON COLUMN analytics.events.took IS 'Until the page was there';
