import pytest

from tests.api.management.callers import Caller, caller_of
from tests.databases import shared_database as shared_database


@pytest.fixture
def admin(admin_user) -> Caller:
    """Somebody who may do everything."""
    return caller_of(admin_user)
