"""What both databases need said in SQL, and what they answer when they cannot."""
