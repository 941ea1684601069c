"""Password hashing for passwords that are printed in a README."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class DemoHasher(PBKDF2PasswordHasher):
    """PBKDF2 with few iterations: seeding and logging in must not be what a demo waits for."""

    algorithm = "pbkdf2_demo"
    iterations = 1000
