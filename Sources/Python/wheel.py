"""Writes a wheel: the package, the shared library in a folder, and what pip reads.

    python3 wheel.py FOLDER_OF_LIBRARY FOLDER_OF_WHEEL

See PEP 427 and PEP 566. Needs Python 3.11.
"""

import base64
import hashlib
import pathlib
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile


def platform(library):
    """The tag of the platform. On Linux it has the version of glibc that the library needs."""
    name = re.sub(r"[-.]", "_", sysconfig.get_platform())
    if not name.startswith("linux_"):
        return name
    symbols = subprocess.run(["objdump", "-T", library], capture_output=True, text=True, check=True).stdout
    versions = [tuple(map(int, version)) for version in re.findall(r"\(?GLIBC_(\d+)\.(\d+)", symbols)]
    major, minor = max(versions)
    return f"manylinux_{major}_{minor}_{name.removeprefix('linux_')}"


def metadata(project):
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}",
             f"Summary: {project['description']}", f"License: {project['license']}",
             f"Requires-Python: {project['requires-python']}"]
    lines += [f"Requires-Dist: {name}" for name in project["dependencies"]]
    for extra, names in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {name}; extra == "{extra}"' for name in names]
    return "\n".join(lines) + "\n"


def main():
    own = pathlib.Path(__file__).parent
    libraries = [path for path in pathlib.Path(sys.argv[1]).glob("libFlowsC.*") if path.suffix in (".so", ".dylib")]
    project = tomllib.loads((own / "pyproject.toml").read_text())["project"]
    tag = f"py3-none-{platform(libraries[0])}"
    name = f"{project['name'].replace('-', '_')}-{project['version']}"
    info = f"{name}.dist-info"
    files = {f"swift_flows/{path.name}": path.read_bytes()
             for path in [*sorted((own / "swift_flows").glob("*.py")), *libraries]}
    files["swift_flows/flows.h"] = (own.parent / "CInterface" / "include" / "flows.h").read_bytes()
    files[f"{info}/METADATA"] = metadata(project).encode()
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: swift-flows\nRoot-Is-Purelib: false\nTag: {tag}\n".encode())
    record = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record.append(f"{path},sha256={digest},{len(content)}")
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    out = pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    wheel = out / f"{name}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    print(wheel)


main()
