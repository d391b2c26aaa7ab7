"""Addresses -> functions."""
