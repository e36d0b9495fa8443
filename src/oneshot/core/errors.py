"""The error for everything that the user can fix."""


class UserError(Exception):
    """A sentence that names what was wrong, where, and what to do; shown without a traceback."""

    def __str__(self) -> str:
        # A file's name in it may hold anything.
        return shown(super().__str__())


def shown(text: object) -> str:
    """A text that can be printed: one line, with control characters and bytes that are no UTF-8 written as escapes."""
    letters = (letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in str(text))
    return "".join(letters)
