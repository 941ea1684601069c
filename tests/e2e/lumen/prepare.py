#!/usr/bin/python3
"""Creates Lumen's tables and a day of studies, once, before any of its servers starts."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lumen.settings")


def main():
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")  # readers and a writer do not block each other
    call_command("migrate", run_syncdb=True, verbosity=0)

    from lumen.studies.seed import seed

    seed()


if __name__ == "__main__":
    main()
