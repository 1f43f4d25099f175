"""The only rooms that know ComfyUI."""
