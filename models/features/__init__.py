"""Everything that turns decoded media into feature rows."""
