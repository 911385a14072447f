"""Pages for people, made of the same answers as the API."""
