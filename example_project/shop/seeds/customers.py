"""Some thousand customers, so that shares and estimates have something to count; none logs in."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.utils import timezone

FIRST = """
Aisha Anton Beatriz Ben Carla Chidi Daan Dalia Elif Emil Fatima Finn Greta Hana Hugo Ines Ivo Jana
Jun Kaya Kofi Lea Levi Lina Luca Mara Mateo Mei Mila Nadia Noah Nora Omar Paula Pia Rami Rosa Ruth
Samir Sara Sofia Tariq Tess Theo Tomas Uma Vera Viktor Yara Zoe
"""
LAST = """
Abel Adeyemi Ahmed Bauer Becker Blom Brandt Bruno Castro Chen Costa Dahl Demir Diaz Dubois Egger
Eriksen Farah Ferrari Fischer Fuchs Garcia Gruber Haas Hansen Hassan Huber Ito Jansen Jensen Kaya
Keller Kim Klein Koch Kowalski Kruse Lang Larsen Lehmann Lopez Maier Marino Meyer Moreau Nakamura
Nguyen Novak Nowak Okafor Olsen Ortiz Patel Peters Petrov Popescu Ramos Richter Rossi Roth Russo
Sato Schmid Silva Simon Singh Sousa Stein Suzuki Tanaka Torres Vogel Wagner Weber Wolf Yilmaz
Ziegler Zimmer Zola Zweig
"""
YEARS = timedelta(days=3 * 365)  # over which they have come to the shop
IN_BETA = 25  # one of so many is in the beta group
READ_NEWS = 5  # four of so many read the newsletter
COMPLAIN = 120


def seed() -> None:
    """Add the missing customers."""
    users = get_user_model().objects
    there = set(users.values_list("username", flat=True))
    new = [person for person in people(timezone.now()) if person.username not in there]
    users.bulk_create(new)
    join_beta([person.username for person in new[::IN_BETA]])


def people(now: datetime) -> list[Any]:
    model, unusable = get_user_model(), make_password(None)
    names = list(product(LAST.split(), FIRST.split()))
    return [
        model(
            username=f"{first}.{last}".lower(),
            email=f"{first}.{last}@mail.example".lower(),
            first_name=first,
            last_name=last,
            password=unusable,
            date_joined=now - YEARS * (len(names) - place) / len(names),
        )
        for place, (last, first) in enumerate(names)
    ]


def join_beta(usernames: list[str]) -> None:
    beta = Group.objects.get(name="beta")
    beta.user_set.add(*get_user_model().objects.filter(username__in=usernames))


def keys() -> list[str]:
    """Return the targeting keys of all of them, in the order in which they came."""
    users = get_user_model().objects.filter(email__endswith="@mail.example").order_by("pk")
    return [str(pk) for pk in users.values_list("pk", flat=True)]


def readers() -> list[str]:
    """Return the targeting keys of those who read the newsletter."""
    return [key for place, key in enumerate(keys()) if place % READ_NEWS]


def complainers() -> list[str]:
    """Return the targeting keys of those who asked for no more of it."""
    return keys()[1::COMPLAIN]
