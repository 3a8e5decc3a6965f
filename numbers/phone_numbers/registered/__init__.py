"""What phone numbers register with the console: menu, search, exports, entries about a person."""
