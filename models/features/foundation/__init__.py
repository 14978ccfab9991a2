"""Published encoders by name: CLAP, CLIP, SigLIP and sentence encoders (extra `foundation`)."""
