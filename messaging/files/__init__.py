"""Files and pasted lines of contacts, read row by row."""
