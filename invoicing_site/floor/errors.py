"""The one exception for a refusal by a business rule."""

from invoicing_site.floor.reasons import Reason


class Refused(Exception):
    """A business rule refuses the action; the sentence is for the person who requested it, in their language.

    `code` names the template in the table of a room (`<room>/refusals.py`), `params` are the values that the
    template names. `remedy` is the URL name or the path of the page where it can be fixed; see `remedies`.
    """

    def __init__(self, code: str | Reason, /, *, remedy: str = "", **params):
        super().__init__(code)
        if isinstance(code, Reason):
            if remedy or params:
                raise TypeError("A reason has its values and its remedy already.")
            self.reason = code
        else:
            self.reason = Reason(code, remedy=remedy, **params)

    @classmethod
    def because(cls, *reasons: Reason) -> "Refused":
        """The refusal for one reason, or for several with the remedy of the first one."""
        if len(reasons) == 1:
            return cls(reasons[0])
        return cls("SEVERAL-REASONS", remedy=reasons[0].remedy, reasons=reasons)

    @property
    def code(self) -> str:
        return self.reason.code

    @property
    def params(self) -> dict:
        return self.reason.params

    @property
    def remedy(self) -> str:
        return self.reason.remedy

    @property
    def message(self) -> str:
        """The sentence in the reader's language."""
        return self.reason.sentence

    def __str__(self) -> str:
        return self.message

    def __reduce__(self):
        # Unpickling rebuilds an exception from its args only; without this, an exception of a worker would
        # lose its values.
        return _rebuilt, (type(self),), self.__dict__


def _rebuilt(kind):
    return kind.__new__(kind)
