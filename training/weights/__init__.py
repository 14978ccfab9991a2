"""Published weight files: fetched, read without running code, rewritten as safetensors."""
