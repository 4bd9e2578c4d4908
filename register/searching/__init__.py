"""Lists of orders and products: what can be asked, and the SQL that answers it in pages."""
