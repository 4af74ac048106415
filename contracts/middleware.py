"""Who asks, in which company: what every page of ours starts from."""

from functools import partial

from contracts.models import LegalEntity, may, roles_of

CHOSEN = "entity"


def company(get_response):
    """Give each request of somebody signed in `entities`, `entity` (the chosen one) and `may(permission)`.

    `may` speaks of the chosen entity unless another is named; whose rows it is for is the querysets' to say.
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
            # Nobody who comes to the browser, or asks a proxy, after them shall find the page again.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def _chosen(request):
    """The one that was chosen last, or else the one they joined first."""
    wanted = request.session.get(CHOSEN, next(iter(roles_of(request.user)), None))
    return next((each for each in request.entities if each.pk == wanted), next(iter(request.entities), None))


def _may(request, permission, entity=None):
    return may(request.user, permission, entity or request.entity)
