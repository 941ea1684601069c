"""The people of the demo, with the roles of the contract. Nothing here is secret."""

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

# id, username, name, role, clinic; the email is <username>@example.com.
PEOPLE = [
    ("user-101", "tess", "Tess Arndt", "rvt", "North"),
    ("user-102", "tomas", "Tomas Ruiz", "rvt", "South"),
    ("user-103", "toni", "Toni Okafor", "rvt", "North"),
    ("user-201", "dana", "Dana Weiss", "doctor", "North"),
    ("user-202", "dmitri", "Dmitri Laurent", "doctor", "South"),
    ("user-301", "ada", "Ada Nilsen", "admin", "North"),
    ("user-401", "rosa", "Rosa Haddad", "receptionist", "North"),
    ("user-402", "remy", "Remy Sato", "receptionist", "South"),
]


def password_of(username):
    return f"{username}-demo-password"


def seed():
    """Creates missing users; leaves existing ones unchanged."""
    users = get_user_model().objects
    known = set(users.values_list("id", flat=True))
    for user_id, username, name, role, clinic in PEOPLE:
        if user_id not in known:
            users.create(
                id=user_id,
                username=username,
                email=f"{username}@example.com",
                name=name,
                role=role,
                clinic=clinic,
                password=make_password(password_of(username)),
            )
