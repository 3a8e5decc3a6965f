"""Words, figures and dates as their reader's language writes them."""
