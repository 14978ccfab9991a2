"""One module per kind of event: its sound, its scenery and its moving picture."""
