"""Files that leave the console, and files that come to it."""
