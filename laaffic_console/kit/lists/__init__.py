"""Lists of tables with millions of rows: their pages, columns, order and filters."""
