"""What ComfyUI and the shell both ask for: run, collect, account, the catalogue."""
