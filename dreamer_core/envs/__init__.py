"""Worlds to learn in: one contract, an adapter for Gymnasium, small worlds of our own, and N of them side by side."""
