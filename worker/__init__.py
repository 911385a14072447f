"""Takes jobs from a server and runs each in a process of its own. Knows the core and the REST API, no database."""
