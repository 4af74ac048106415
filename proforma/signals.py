"""Signals that other apps receive."""

from django.dispatch import Signal

# Sent inside the transaction that confirms, with `proforma`. A receiver may enqueue a job and nothing more.
proforma_confirmed = Signal()
