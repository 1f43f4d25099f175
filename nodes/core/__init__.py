"""What the pack knows of the model API, of money and of pictures. Nothing here knows ComfyUI."""
