"""Calls and group calls as files: rows for a table, and the dossier of one group call."""
