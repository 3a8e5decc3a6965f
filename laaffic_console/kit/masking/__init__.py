"""Who sees numbers and addresses whole, and what pages, files and logs show instead."""
