"""Requests as they arrive: whom they come from, and a body that is read no further than it may be long."""
