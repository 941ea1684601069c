"""How a token becomes claims: by claimsd, or by asking the Auth API directly."""
