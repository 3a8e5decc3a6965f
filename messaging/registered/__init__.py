"""What messaging registers with the console: menu, search, signs of health, exports, what is known of a person."""
