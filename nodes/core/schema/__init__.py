"""A model file -> typed inputs. Knows no network, no tensors and no ComfyUI."""
