"""Pages of contacts and groups, imports, the suppression list, and a person."""
