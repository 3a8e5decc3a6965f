"""How often Python looks for garbage that only a search finds, such as two objects that hold each other."""

import gc

NEW_OBJECTS = 50_000  # of a few hundred bytes; Python's own 700 suits programs that are small


def look_seldom() -> None:
    """Loading the console makes a quarter of a million objects that stay, and each search goes through many of them
    again: a fifth of the time in which a command starts."""
    gc.set_threshold(NEW_OBJECTS, 20, 20)
