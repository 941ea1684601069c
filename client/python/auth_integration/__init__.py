"""Authentication of Django and Django REST Framework requests at a central Auth API."""

__version__ = "0.1.0"
