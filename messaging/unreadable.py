class UnreadableFile(ValueError):
    """Why a file is no list of contacts, in a sentence that says what to do next."""
