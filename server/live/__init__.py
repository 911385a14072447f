"""What happens now: events, and streams that tell a page only what is new."""
