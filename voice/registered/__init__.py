"""What voice registers with the console: menu, search, exports, notices, what is known of a person."""
