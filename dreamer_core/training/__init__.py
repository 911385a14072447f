"""Where envs, replay and models meet: acting, learning, saving, and the loop around them."""
