"""Lumen: a small reporting site of vascular laboratories, the backend of the contract. For
permissions see studies/access.py."""
