"""What Ctrl-C leaves behind."""


class LeftUnknown(KeyboardInterrupt):
    """It came while a request was under way: a sentence about that, and the exit code for what nobody knows."""

    returncode = 3
