"""Networks on top of features, each built from a specification that is plain JSON."""
