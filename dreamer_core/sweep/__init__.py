"""Many runs from one line: a grid over keys, with seeds as one of its axes."""
