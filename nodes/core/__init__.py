"""What the pack knows of the model API, of money and of images. Nothing here knows ComfyUI."""
