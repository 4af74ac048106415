from django.urls import path

from backlog.views import items

urlpatterns = [
    path("backlog/", items.Backlog.as_view(), name="backlog"),
    path("backlog/mark-ready/", items.MarkReady.as_view(), name="mark_ready"),
    path("backlog/mark-not-ready/", items.MarkNotReady.as_view(), name="mark_not_ready"),
    path("backlog/actions/<int:pk>/undo/", items.Undo.as_view(), name="undo_marking"),
]
