"""What phone numbers register with the console: menu, search, exports, what is known of a person."""
