"""What a row keeps of the wire: ids, networks, and which failures last."""
