"""Canonical correlation analysis in closed form: paired, cluster, two and more views."""
