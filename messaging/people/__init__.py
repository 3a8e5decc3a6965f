"""What other parts tell and offer about a person: each registers its own; nothing here knows them by name."""
