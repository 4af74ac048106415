"""The one exception for "the business says no"."""

from invoicing_site.floor import wording


class Refused(Exception):
    """A rule of the business forbids this; the text is a whole sentence for the person who asked.

    `code` is stable and upper-case, for tests and JSON ("FX-MISSING"). `remedy` is the URL name or the path
    of the page where it can be fixed; see `remedies`. Both may be empty.
    """

    def __init__(self, message: str, *, code: str = "", remedy: str = ""):
        self.message = wording.capital(str(message))
        super().__init__(self.message)
        self.code = code
        self.remedy = remedy

    def __str__(self) -> str:
        return self.message

    def __reduce__(self):
        # Exceptions are rebuilt from their args alone; a worker would lose the code on the way home.
        return _rebuilt, (type(self), self.message, self.code, self.remedy)


def _rebuilt(kind, message, code, remedy):
    return kind(message, code=code, remedy=remedy)
