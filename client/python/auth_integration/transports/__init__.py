"""The two ways to look up a token: through claimsd, or directly at the Auth API."""
