"""Users as described by `/api/me/`, and the access and refresh tokens that were logged out."""

from datetime import datetime, timezone

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import UserManager
from django.db import models
from django.utils.timezone import now


class User(AbstractBaseUser):
    """A person of a clinic. The id is a string such as "user-101", as in the contract."""

    id = models.CharField(primary_key=True, max_length=64)
    username = models.CharField(unique=True, max_length=150)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150)
    role = models.CharField(max_length=32)
    clinic = models.CharField(max_length=150)
    is_active = models.BooleanField(default=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"

    def claims(self):
        """The body of `/api/me/`."""
        fields = ("id", "email", "role", "name", "username", "clinic")
        return {field: getattr(self, field) for field in fields}


class DeniedToken(models.Model):
    """A token (by its `jti`) that is rejected although its signature and `exp` are valid.

    simplejwt's own blacklist handles refresh tokens only, so the Auth API has this one.
    """

    jti = models.CharField(primary_key=True, max_length=64)
    # When the token expires anyway; the row can then be deleted.
    expires_at = models.DateTimeField(db_index=True)

    @classmethod
    def deny(cls, token):
        """Rejects `token` (a validated simplejwt token) from now on; deletes expired rows."""
        cls.objects.filter(expires_at__lt=now()).delete()
        expires_at = datetime.fromtimestamp(token["exp"], tz=timezone.utc)
        cls.objects.update_or_create(jti=token["jti"], defaults={"expires_at": expires_at})

    @classmethod
    def denies(cls, token):
        return cls.objects.filter(jti=token["jti"]).exists()
