"""Lumen: a small reporting site of vascular laboratories, as the contract's backend. Who may do what: studies/access.py."""
