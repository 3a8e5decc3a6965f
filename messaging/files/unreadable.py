"""What every reader of files raises."""


class UnreadableFile(ValueError):
    """Why a file is not a list of contacts, in a sentence that says what to do next."""


class SeveralReadings(UnreadableFile):
    """Its letters can be read in several ways: a person has to say which."""
