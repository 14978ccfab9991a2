"""Fixed networks with published weights, and how they run."""
