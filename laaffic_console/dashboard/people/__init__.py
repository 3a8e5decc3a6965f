"""Users, roles and rights, in the words of the pages."""
