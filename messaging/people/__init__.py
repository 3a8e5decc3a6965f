"""A person: the spellings of a number, and everything that is known of who has it."""
