"""Signals that a project may listen to; all are sent after the commit."""

from django.dispatch import Signal

#: A flag was created, changed or deleted by way of ``changes``. Arguments: ``revision``.
flag_changed = Signal()

#: A segment was created, changed or deleted by way of ``changes``. Arguments: ``revision``.
segment_changed = Signal()
