"""Pages of campaigns of every channel, once they are written."""
