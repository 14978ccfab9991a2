"""Losses as functions of tensors; each is checked against a naive loop or a closed form."""
