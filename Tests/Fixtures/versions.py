"""The versions of packages that a fixture is made with are those of a requirements file."""

import importlib.metadata
import pathlib


def check(*names, requirements="requirements-torch.txt"):
    lines = pathlib.Path(__file__).with_name(requirements).read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    for name in names:
        version = importlib.metadata.version(name).split("+")[0]
        assert version == pinned[name], f"{name} {version}, pinned {pinned[name]}"
