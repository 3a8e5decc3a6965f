"""Conditions on contacts: as they are meant, as text, and as rows of a form."""
