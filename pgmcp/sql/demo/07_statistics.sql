-- Purpose: what the planner must know of the sample shop.
-- Needs: 06_logic.sql.   Since: 15.
VACUUM (ANALYZE);
