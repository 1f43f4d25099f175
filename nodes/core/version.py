"""The pack's version, how it names itself to servers, and the command that starts its shell."""

VERSION = "0.1.0"
USER_AGENT = f"runcomfy-models/{VERSION}"
INSTALLED_AS = "runcomfy_models"
# Where pip has installed it there is a command; in its own folder there is the package ``nodes``.
SHELL = "runcomfy-models" if __name__.startswith(f"{INSTALLED_AS}.") else "python -m nodes"
