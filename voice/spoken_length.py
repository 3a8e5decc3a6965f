"""About how long it takes to speak a text. The vendor's voices are not documented: this is how people read aloud.

A voice at rate 1 says some 150 words a minute, 15 letters a second with the spaces between them; four to five
ideographs or syllable blocks a second; a single digit takes as long as a short word.
"""

import unicodedata

LETTER, BLOCK, DIGIT, PAUSE = 1 / 15, 0.22, 0.35, 0.3
PAUSES = frozenset(".,;:!?…،؛؟।。、，；：！？\n")
# Scripts in which one character is a syllable or a word.
BLOCKS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")


def seconds(text: str, *, rate: float = 1.0, times: int = 1) -> float:
    """Seconds of the whole announcement, spoken `times` times at a speaking rate of `rate` (0.25 to 4)."""
    return sum(map(_of_character, text.strip())) / rate * times


def _of_character(character: str) -> float:
    if character in PAUSES:
        return PAUSE
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0  # a mark on the letter before
    if character.isdecimal():
        return DIGIT
    if unicodedata.name(character, "").startswith(BLOCKS):
        return BLOCK
    return LETTER
