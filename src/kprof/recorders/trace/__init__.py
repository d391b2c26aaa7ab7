"""The recorder of single events: each with the fields that somebody asked for."""
