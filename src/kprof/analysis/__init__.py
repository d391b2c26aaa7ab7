"""Profile -> findings."""
