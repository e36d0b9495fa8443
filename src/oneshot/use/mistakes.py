"""The error that is both this project's and scikit-learn's."""

from oneshot.core.errors import UserError


class InputError(UserError, ValueError):
    """A UserError about what was given to an estimator, for which scikit-learn expects a ValueError."""
