"""Workers: what wakes them, who may do what, for how long and how fast."""
