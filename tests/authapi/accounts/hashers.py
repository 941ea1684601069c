"""Password hashing for the published demo passwords."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class DemoHasher(PBKDF2PasswordHasher):
    """PBKDF2 with few iterations, so that seeding and logging in are fast."""

    algorithm = "pbkdf2_demo"
    iterations = 1000
