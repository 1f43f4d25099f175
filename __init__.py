"""RunComfy Models: Google's image models, hosted by RunComfy, as ComfyUI nodes."""

# A test runner may import this file on its own, outside a package.
if __package__:
    from .nodes.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

    WEB_DIRECTORY = "./web"

    __all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "WEB_DIRECTORY"]
