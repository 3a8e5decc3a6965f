"""What a file for an MMS or a call is, by its bytes."""
