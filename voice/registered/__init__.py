"""What voice registers with the console: menu, search, exports, notices, entries about a person."""
