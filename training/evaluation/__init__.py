"""How a space is measured: metrics as pure functions, the protocol, chance, report."""
