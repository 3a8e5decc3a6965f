"""Parts that pages of several rooms have in common."""
