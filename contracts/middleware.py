"""The selected legal entity of each request, and what its user may do there."""

from functools import partial

from contracts.models import LegalEntity, may, roles_of

CHOSEN = "entity"


def company(get_response):
    """Give each request of a signed-in user `entities`, `entity` (the selected one) and `may(permission)`.

    `may` checks the selected entity unless another one is given. It says nothing about single rows; querysets
    decide which rows a user can access.
    """

    def middleware(request):
        request.entities, request.entity, request.roles = [], None, frozenset()
        request.may = lambda permission, entity=None: False
        if request.user.is_authenticated:
            roles = roles_of(request.user)
            request.entities = list(LegalEntity.objects.filter(pk__in=roles)) if roles else []
            request.entity = _chosen(request)
            if request.entity:
                request.roles = frozenset(roles[request.entity.pk])
                request.may = partial(_may, request)
        response = get_response(request)
        if request.user.is_authenticated:
            # The pages must not stay in the cache of the browser or of a proxy, where the next user could
            # find them.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def _chosen(request):
    """The entity that was selected last, or else the one that the user joined first."""
    wanted = request.session.get(CHOSEN, next(iter(roles_of(request.user)), None))
    return next((each for each in request.entities if each.pk == wanted), next(iter(request.entities), None))


def _may(request, permission, entity=None):
    return may(request.user, permission, entity or request.entity)
