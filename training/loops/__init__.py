"""Recipes: how each method is fitted, on train and validation rows only."""
