"""From any subject to an evaluation context."""

from flaggate.context.attributes import BUILT_IN, VISITOR
from flaggate.context.subjects import of_request, of_subject
from flaggate.context.visitor import Visitor

__all__ = ["BUILT_IN", "VISITOR", "Visitor", "of_request", "of_subject"]
