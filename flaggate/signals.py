"""Signals that a project may listen to."""

from django.dispatch import Signal

#: A flag was created, changed or deleted by way of ``changes``; sent after the commit. Arguments:
#: ``revision``.
flag_changed = Signal()

#: A segment was created, changed or deleted by way of ``changes``; sent after the commit.
#: Arguments: ``revision``.
segment_changed = Signal()

#: An outcome was tracked; sent at once, whatever the transaction. Arguments: ``name``, a text;
#: ``context``, the EvaluationContext of whom it is about; ``value``, a number or None; ``details``,
#: a dictionary.
outcome_tracked = Signal()
