"""Where the bars of a score are in a recording of it."""
