"""Writes array files as other programs write them, and reads those that the library writes.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy==2.4.6 safetensors==0.8.0
    /tmp/venv/bin/python Tests/Fixtures/make_files.py              writes Tests/FilesTests/Fixtures
    /tmp/venv/bin/python Tests/Fixtures/make_files.py --check DIR  reads what the tests wrote into DIR

Element i of every array of real numbers is 0.375 i - 1.125, of whole numbers i - 3 (i for those without a sign), of truth
values i % 3 == 0: numbers that every type holds exactly, so that a reader that confuses two elements or two types is caught.
`--check` needs no fixtures; it exits with 1 and a line that says what differs.
"""

import argparse
import io
import pathlib
import struct
import sys
import zlib

import numpy as np
import safetensors.numpy

FOLDER = pathlib.Path(__file__).parent.parent / "FilesTests" / "Fixtures"


def array(dtype, shape):
    dtype = np.dtype(dtype)
    index = np.arange(int(np.prod(shape)), dtype=np.int64)
    values = {"f": index * 0.375 - 1.125, "i": index - 3, "u": index, "b": index % 3 == 0}[dtype.kind]
    return values.astype(dtype).reshape(shape)


def saved(values, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, values, version=version)
    return file.getvalue()


def make():
    FOLDER.mkdir(exist_ok=True)
    for name in ["<f2", "<f4", "<f8", ">f4", ">f8", "|i1", "|u1", "<i2", ">u2", "<i4", "<u4", "<i8", ">i8", "<u8", "|b1"]:
        label = ("big-" if name[0] == ">" else "") + name[1:]
        (FOLDER / f"{label}.npy").write_bytes(saved(array(name, (2, 3))))
    (FOLDER / "scalar.npy").write_bytes(saved(array("<f8", ())))
    (FOLDER / "vector.npy").write_bytes(saved(array("<f4", (5,))))
    (FOLDER / "empty.npy").write_bytes(saved(array("<f4", (0, 4))))
    (FOLDER / "fortran.npy").write_bytes(saved(np.asfortranarray(array("<f4", (2, 3, 4)))))
    (FOLDER / "version-2.npy").write_bytes(saved(array("<f4", (2, 3)), (2, 0)))
    (FOLDER / "version-3.npy").write_bytes(saved(array("<f4", (2, 3)), (3, 0)))
    (FOLDER / "too-large.npy").write_bytes(saved(np.array([1, 2**31], "<i8")))
    (FOLDER / "text.npy").write_bytes(saved(np.array(["a"])))
    (FOLDER / "records.npy").write_bytes(saved(np.zeros(2, [("a", "<f4"), ("b", "<i4")])))

    members = {"x": array("<f4", (3, 4)), "y": np.asfortranarray(array("<f8", (2, 3))), "labels": array("<i8", (6,))}
    np.savez(FOLDER / "stored.npz", **members)
    np.savez_compressed(FOLDER / "deflated.npz", **members, noise=np.random.default_rng(0).random(600))

    tensors = {f"layer/{t}": array(d, (2, 3)) for t, d in [("half", "f2"), ("float", "f4"), ("double", "f8")]}
    tensors |= {"whole": array("i8", (6,)), "bytes": array("u1", (4,)), "truth": array("b1", (3,)), "scalar": array("f4", ())}
    tensors["none"] = array("f4", (0, 2))
    safetensors.numpy.save_file(tensors, FOLDER / "peer.safetensors", {"format": "np", "größe": "zwei\nZeilen"})


def gzip_member(content, strategy, name=b"", comment=b"", extra=b""):
    """A member with optional fields of RFC 1952."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, strategy)
    flags = (8 if name else 0) | (16 if comment else 0) | (4 if extra else 0)
    head = bytes([0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 255])
    head += struct.pack("<H", len(extra)) + extra if extra else b""
    head += name + b"\0" if name else b""
    head += comment + b"\0" if comment else b""
    tail = struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
    return head + packer.compress(content) + packer.flush() + tail


def make_gzip():
    """Codes of up to 13 bits (each count above the sum of the smaller ones), and two members with names."""
    counts = [(1 << i) - 1 for i in range(1, 14)]
    content = b"".join(bytes([65 + i]) * n for i, n in enumerate(counts))
    step = 1009  # coprime to the length, so that the bytes are mixed
    content = bytes(content[i * step % len(content)] for i in range(len(content)))
    (FOLDER / "long-codes.gz").write_bytes(gzip_member(content, zlib.Z_HUFFMAN_ONLY))
    first = b"a,b\n" + b"".join(b"%d,%d.5\n" % (i, i * i) for i in range(300))
    second = b"".join(b"%d,%d.5\n" % (i, i * i) for i in range(300, 400))
    members = gzip_member(first, zlib.Z_DEFAULT_STRATEGY, b"x.csv", b"two members", b"AB\0\0")
    (FOLDER / "members.csv.gz").write_bytes(members + gzip_member(second, zlib.Z_FIXED) + bytes(16))


def check(folder):
    def same(name, found, dtype, shape):
        expected = array(dtype, shape)
        if found.dtype != expected.dtype or found.shape != expected.shape or not np.array_equal(found, expected):
            sys.exit(f"{name}: expected {expected!r}, got {found!r}")

    for dtype in ["f4", "f8", "i4"]:
        for shape in [(), (5,), (2, 3), (2, 3, 4), (0, 2)]:
            name = f"{dtype}-{'x'.join(map(str, shape))}.npy"
            same(name, np.load(folder / name), dtype, shape)
            mapped = np.load(folder / name, mmap_mode="r") if np.prod(shape) else array(dtype, shape)
            same(name, np.asarray(mapped), dtype, shape)
    archive = np.load(folder / "archive.npz")
    if sorted(archive.files) != ["größe", "x"]:
        sys.exit(f"archive.npz: {archive.files}")
    same("archive.npz", archive["x"], "f4", (2, 3))
    same("archive.npz", archive["größe"], "f8", (4,))
    tensors = safetensors.numpy.load_file(folder / "tree.safetensors")
    if sorted(tensors) != ["layer/order", "layer/weight", "scale"]:
        sys.exit(f"tree.safetensors: {sorted(tensors)}")
    same("tree.safetensors", tensors["layer/weight"], "f4", (3, 3))
    same("tree.safetensors", tensors["layer/order"], "i4", (5,))
    same("tree.safetensors", tensors["scale"], "f8", ())
    with safetensors.safe_open(folder / "tree.safetensors", "np") as file:
        if file.metadata() != {"seed": "0", "frozen": "layer/order"}:
            sys.exit(f"tree.safetensors: {file.metadata()}")
    print("numpy and safetensors read what the library wrote")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", type=pathlib.Path, metavar="DIR")
    folder = parser.parse_args().check
    check(folder) if folder else (make(), make_gzip())
