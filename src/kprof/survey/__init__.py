"""What this host can record, which events there are, and what reaches them."""
