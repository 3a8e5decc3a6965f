"""A console with worker and sandbox for somebody who wants to look: where it lies, how it runs, what it shows."""
