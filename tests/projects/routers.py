"""Routers that a project may have."""

from typing import Any


class FlagsApart:
    """Flags have a database of their own, as in docs/howto/several-databases.md."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "flags" if model._meta.app_label == "flaggate" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        if db == "flags":
            return app_label in {"flaggate", "auth", "contenttypes"}
        return app_label != "flaggate"


class LaggingReplica:
    """Whatever is read is read from a replica, to which nothing has come yet."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True
