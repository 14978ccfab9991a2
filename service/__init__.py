"""HTTP, index and catalog; opens artefacts that training wrote."""
