"""Who is asking? Django and Django REST Framework requests, authenticated at a central Auth API."""

__version__ = "0.2.0"
