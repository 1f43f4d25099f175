"""What pip installs: the shell and all that it needs, and the emulator, in one package ``runcomfy_models``.

ComfyUI and ``python -m nodes`` need none of this: they run from the folder. Names and versions are in
``pyproject.toml``; the packages are found here, so that a new one has to be named nowhere.
"""

from setuptools import find_packages, setup

NAME = "runcomfy_models"
FOLDERS = ("nodes", "emulator", "locales")

setup(
    packages=[
        *(f"{NAME}.{each}" for each in find_packages(include=["nodes*", "emulator*"], exclude=["nodes.comfyui*"])),
        f"{NAME}.locales",
    ],
    package_dir={f"{NAME}.{folder}": folder for folder in FOLDERS},
    package_data={f"{NAME}.nodes": ["models.json", "models/**/*.json"], f"{NAME}.locales": ["**/*"]},
)
