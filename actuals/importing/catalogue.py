"""The master data to which rows of a file refer, by code or name, and the records that an import creates."""

import difflib
import itertools

from django.db import models

from actuals.importing.values import Invalid, shortened
from contracts.models import Category, Product, Project, Resource, Role, Task
from invoicing_site.floor.querysets import in_chunks
from invoicing_site.floor.reasons import Reason

# By the name of their field, in the order in which they are saved: a task needs its project.
KINDS = {
    "project": Project,
    "task": Task,
    "resource": Resource,
    "role": Role,
    "category": Category,
    "product": Product,
}
_MOST_SUGGESTIONS = 200  # a search for the nearest of thousands of codes is slow
# Characters of a code that are easily confused: P-1O01 is nearest to P-1001.
_LOOK_ALIKES = str.maketrans("oilsb|", "011581")


def plural(kind) -> str:
    """The name of the kind in a mapping and in answers: “categories”."""
    return str(KINDS[kind]._meta.verbose_name_plural)


class _Records:
    """Records of one kind within one scope, such as the tasks of one project."""

    def __init__(self):
        self.by_code = {}
        self.by_fold = {}
        self.by_name = {}

    def add(self, thing, *other_names):
        self.by_code[thing.code] = thing
        _only(self.by_fold, thing.code, thing)
        for name in (thing.name, *other_names):
            if name:
                _only(self.by_name, name, thing)

    def find(self, text):
        """The record by code, then by code ignoring case, then by a name that only one record has."""
        fold = text.casefold()
        return self.by_code.get(text) or self.by_fold.get(fold) or self.by_name.get(fold)

    def is_ambiguous(self, text):
        """Whether several records have this name."""
        fold = text.casefold()
        return fold in self.by_fold or fold in self.by_name


def _only(found, text, thing):
    fold = " ".join(text.casefold().split())
    found[fold] = thing if found.get(fold, thing) is thing else None


class Catalogue:
    """The master data of one legal entity, and the records that an import adds to it.

    Everything is loaded at once, except the tasks. `within` are the keys of the projects for which the user
    may import; None means all.
    """

    def __init__(self, entity, create=(), item_tax_group=None, within=None):
        self.entity = entity
        self._within = within
        self.create = {kind for kind in KINDS if plural(kind) in create}
        self.item_tax_group = item_tax_group
        self.new = {kind: [] for kind in KINDS}
        self._by_kind = {}
        self._suggestions = {}
        for kind, thing in itertools.chain(
            (("project", row) for row in Project.objects.filter(entity=entity)),
            (("role", row) for row in Role.objects.filter(entity=entity)),
            (("category", row) for row in Category.objects.filter(entity=entity)),
            (("product", row) for row in Product.objects.filter(entity=entity)),
        ):
            self._of_kind(kind, _scope(thing)).add(thing)
        for resource in Resource.objects.filter(entity=entity).select_related("user"):
            user = resource.user
            names = (user.email, user.username, user.get_full_name()) if user else ()
            self._of_kind("resource", None).add(resource, *names)

    def load_tasks(self, projects):
        """Load the tasks of these projects."""
        for chunk in in_chunks({project.pk for project in projects if project.pk}, 5000):
            for task in Task.objects.filter(project__in=chunk).select_related("project"):
                self._of_kind("task", _scope(task)).add(task)

    def find(self, kind, text, scope=None):
        """The record of that kind with this code or name; Invalid with the nearest code if there is none.

        The scope is a project for tasks, a transaction class for categories.
        """
        key = scope.code if isinstance(scope, models.Model) else scope
        found = self._of_kind(kind, key)
        if thing := found.find(text):
            return thing
        if found.is_ambiguous(text):
            raise Invalid("NAME-AMBIGUOUS", kinds=plural(kind), name=shortened(text, 60))
        if kind in self.create:
            return self._made(kind, text, scope)
        raise self._unknown(kind, text, key)

    def reaches(self, project) -> bool:
        """Whether the user may import for this project."""
        return self._within is None or project.pk in self._within

    def known(self, kind, text, scope=None):
        """The record, or None."""
        return self._of_kind(kind, scope).find(text)

    def _of_kind(self, kind, scope) -> _Records:
        return self._by_kind.setdefault((kind, scope), _Records())

    def _made(self, kind, text, scope):
        model = KINDS[kind]
        longest = model._meta.get_field("code").max_length
        if len(text) > longest:
            raise Invalid("CODE-TOO-LONG", code=shortened(text, 40), most=longest)
        fields = {"project": scope} if kind == "task" else {"entity": self.entity}
        if kind == "category":
            fields["transaction_class"] = scope
            above = self.known(kind, text.rpartition("/")[0], scope)
            if above is not None:
                same = ("is_chargeable", "is_disbursement", "item_tax_group_id")
                fields.update((name, getattr(above, name)) for name in same)
        if kind in ("category", "product") and self.item_tax_group is not None:
            fields["item_tax_group_id"] = self.item_tax_group.pk
        thing = model(code=text, name=text, **fields)
        self._of_kind(kind, _scope(thing)).add(thing)
        self.new[kind].append(thing)
        return thing

    def _unknown(self, kind, text, key) -> Invalid:
        """The error for an unknown name, with the nearest existing code if there is one."""
        nearest, text = self._nearest(kind, text, key), shortened(text, 60)
        if kind == "task":
            if nearest:
                return Invalid("TASK-UNKNOWN-BUT", name=text, project=key, nearest=nearest)
            return Invalid("TASK-UNKNOWN", name=text, project=key)
        if kind == "category":
            if nearest:
                return Invalid("CATEGORY-UNKNOWN-BUT", name=text, group=key, nearest=nearest)
            return Invalid("CATEGORY-UNKNOWN", name=text, group=key)
        thing = KINDS[kind]._meta.verbose_name
        if nearest:
            return Invalid("RECORD-UNKNOWN-BUT", kind=thing, name=text, nearest=nearest)
        return Invalid("RECORD-UNKNOWN", kind=thing, name=text)

    def _nearest(self, kind, text, key) -> str:
        found = self._suggestions.get((kind, key, text))
        if found is None:
            if len(self._suggestions) >= _MOST_SUGGESTIONS:
                return ""
            things = self._of_kind(kind, key).by_code.values()
            if kind == "project":
                things = [project for project in things if self.reaches(project)]
            folds = {thing.code.casefold(): thing.code for thing in things}
            names = {thing.name.casefold(): thing.code for thing in things}
            fold = shortened(text, 100).casefold()
            found = _nearest_of(fold, folds) or _nearest_of(fold, names)
            self._suggestions[kind, key, text] = found
        return found

    def remarks(self) -> list[Reason]:
        """Warnings about new records: what they need before their work can be priced and invoiced."""
        found = []
        untaxed = [each for each in self.new["category"] + self.new["product"] if not each.item_tax_group_id]
        if untaxed:
            found.append(Reason("NEW-WITHOUT-TAX-GROUP", records=_some(untaxed)))
        if resources := self.new["resource"]:
            found.append(Reason("NEW-WITHOUT-ROLE", records=_some(resources)))
        if projects := self.new["project"]:
            found.append(Reason("NEW-WITHOUT-LINE", records=_some(projects)))
        return found


def _nearest_of(text, known: dict) -> str:
    """The value of the nearest key, if characters that look alike count as equal."""
    alike = {}
    for key in known:
        alike.setdefault(key.translate(_LOOK_ALIKES), []).append(key)
    near = difflib.get_close_matches(text.translate(_LOOK_ALIKES), alike, 1)
    if not near:
        return ""
    return known[max(alike[near[0]], key=lambda key: difflib.SequenceMatcher(None, text, key).ratio())]


def _some(records) -> list[str]:
    """The first codes, and “…” if there are more."""
    return [each.code for each in records[:5]] + (["…"] if len(records) > 5 else [])


def _scope(thing):
    if isinstance(thing, Task):
        return thing.project.code
    return thing.transaction_class if isinstance(thing, Category) else None
