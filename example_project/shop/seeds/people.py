"""Who may log in, and the groups they are in. Every password is the username."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission

GROUPS = ["staff", "beta"]

# username → who they are
PEOPLE = {
    "ada": "a regular (VIP)",
    "bo": "in the beta group",
    "chen": "a customer",
    "dora": "a customer, in beta, VIP",
    "olivia": "operator, staff",
    "admin": "superuser",
}
MEMBERS = {"staff": ["olivia", "admin"], "beta": ["bo", "dora"]}
STAFF = MEMBERS["staff"]
NAMES = {
    "ada": ("Ada", "Adler"),
    "bo": ("Bo", "Berg"),
    "chen": ("Chen", "Chang"),
    "dora": ("Dora", "Diallo"),
    "olivia": ("Olivia", "Okoro"),
    "admin": ("", ""),
}


def seed() -> None:
    """Add the missing groups and users; the staff group may change flags."""
    for name in GROUPS:
        seed_group(name)
    for username in PEOPLE:
        seed_user(username)


def seed_group(name: str) -> None:
    group, created = Group.objects.get_or_create(name=name)
    if created and name == "staff":
        group.permissions.set(Permission.objects.filter(content_type__app_label="flaggate"))


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
