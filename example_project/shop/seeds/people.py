"""Who may log in, and the groups they are in. Every password is the username."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission

# group → the permissions that it gives, of flaggate's; None for all of them
GROUPS: dict[str, list[str] | None] = {
    "staff": None,
    "beta": [],
    "release managers": [
        *("view_flag", "view_segment", "view_revision", "view_usage"),
        *("toggle_flag", "rollout_flag", "archive_flag", "revert_flag", "evaluate_flag"),
    ],
    "support": ["view_flag", "view_revision", "toggle_flag"],
    "viewers": ["view_flag", "view_segment", "view_revision", "view_usage"],
}

# username → who they are
PEOPLE = {
    "ada": "a regular (VIP)",
    "bo": "in the beta group",
    "chen": "a customer",
    "dora": "a customer, in beta, VIP",
    "olivia": "operator, staff",
    "admin": "superuser",
    "rosa": "release manager: shares, stages, going back",
    "sam": "support: turns flags on and off, and nothing else",
    "vera": "looks at everything, changes nothing",
}
MEMBERS = {
    "staff": ["olivia", "admin"],
    "beta": ["bo", "dora"],
    "release managers": ["rosa"],
    "support": ["sam"],
    "viewers": ["vera"],
}
STAFF = ["olivia", "admin", "rosa", "sam", "vera"]
NAMES = {
    "ada": ("Ada", "Adler"),
    "bo": ("Bo", "Berg"),
    "chen": ("Chen", "Chang"),
    "dora": ("Dora", "Diallo"),
    "olivia": ("Olivia", "Okoro"),
    "admin": ("", ""),
    "rosa": ("Rosa", "Reyes"),
    "sam": ("Sam", "Sato"),
    "vera": ("Vera", "Varga"),
}


def seed() -> None:
    """Add the missing groups, with what they may do, and users."""
    for name, permissions in GROUPS.items():
        seed_group(name, permissions)
    for username in PEOPLE:
        seed_user(username)


def seed_group(name: str, permissions: list[str] | None) -> None:
    group, created = Group.objects.get_or_create(name=name)
    if created:
        known = Permission.objects.filter(content_type__app_label="flaggate")
        group.permissions.set(
            known if permissions is None else known.filter(codename__in=permissions)
        )


def seed_user(username: str) -> None:
    users = get_user_model().objects
    if users.filter(username=username).exists():
        return
    first, last = NAMES[username]
    user = users.create_user(
        username,
        email=f"{username}@marginalia.example",
        password=username,
        first_name=first,
        last_name=last,
        is_staff=username in STAFF,
        is_superuser=username == "admin",
    )
    groups = [name for name, members in MEMBERS.items() if username in members]
    user.groups.set(Group.objects.filter(name__in=groups))
