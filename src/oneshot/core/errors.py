"""The error for everything that the user can fix."""


class UserError(Exception):
    """A sentence that names what was wrong, where, and what to do; shown without a traceback."""
