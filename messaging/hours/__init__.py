"""When messages may leave: as people write it, and as rows of a form."""
