"""The field of keys, which several models have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.lookups import IContains

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    CharField = models.CharField[str, str]
else:
    CharField = models.CharField

# Collations in which no two texts are the same; the usual ones of MySQL ignore case, accents and
# trailing spaces. MariaDB and MySQL have no such one in common.
EXACT_ON_MARIADB = "utf8mb4_nopad_bin"
EXACT_ON_MYSQL = "utf8mb4_0900_bin"
CASE_BLIND = "utf8mb4_general_ci"


class KeyField(CharField):
    """A text by which something is known: case, accents and spaces count, in every database."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters: Any = super().db_parameters(connection)
        if connection.vendor == "mysql":
            on_mariadb = connection.mysql_is_mariadb  # type: ignore[attr-defined]
            parameters["collation"] = EXACT_ON_MARIADB if on_mariadb else EXACT_ON_MYSQL
        return parameters


@KeyField.register_lookup
class Search(IContains):
    """A search, as in admin, that finds a key whatever its case."""

    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> Any:
        sql, parameters = super().process_lhs(compiler, connection, lhs)
        return (f"{sql} COLLATE {CASE_BLIND}" if connection.vendor == "mysql" else sql), parameters
