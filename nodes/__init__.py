"""The pack: its models, the core that pays for a job once, and the two hosts, ComfyUI and a shell."""
