"""The one kind of error that is the user's to mend."""


class UserError(Exception):
    """A sentence that names what was wrong, where, and what to do; shown without a traceback."""
