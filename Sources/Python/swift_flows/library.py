"""The functions of the shared library, as `flows.h` has them."""

import ctypes
import functools
import os
import pathlib
import sys

_HANDLE, _TEXT, _SIZE, _WORD = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_uint32
_ERROR = (_TEXT, _SIZE)
_CONTEXT = (ctypes.c_void_p, _SIZE, _SIZE)
_LOG_PDF = (_HANDLE, ctypes.c_void_p, _SIZE, _SIZE, *_CONTEXT, ctypes.c_void_p, *_ERROR)
_SAMPLE = (_HANDLE, _WORD, _WORD, _SIZE, _SIZE, _SIZE, *_CONTEXT, ctypes.c_void_p, *_ERROR)
FUNCTIONS = {
    "flows_open": (_HANDLE, (_TEXT, *_ERROR)),
    "flows_close": (ctypes.c_int32, (_HANDLE,)),
    "flows_dimension": (_SIZE, (_HANDLE,)),
    "flows_context_dimension": (_SIZE, (_HANDLE,)),
    "flows_dtype": (ctypes.c_int32, (_HANDLE,)),
    "flows_log_pdf_f32": (ctypes.c_int32, _LOG_PDF),
    "flows_log_pdf_f64": (ctypes.c_int32, _LOG_PDF),
    "flows_sample_f32": (ctypes.c_int32, _SAMPLE),
    "flows_sample_f64": (ctypes.c_int32, _SAMPLE),
}


def path():
    """The library's place: SWIFT_FLOWS_LIBRARY, or beside this file, where a wheel has it."""
    name = "libFlowsC.dylib" if sys.platform == "darwin" else "libFlowsC.so"
    return os.environ.get("SWIFT_FLOWS_LIBRARY") or str(pathlib.Path(__file__).with_name(name))


@functools.cache
def loaded():
    """The library with the types of its functions. It is loaded once."""
    place = path()
    if not os.path.exists(place):
        raise OSError(
            f"{place}: expected the shared library, got nothing there; install a wheel of Sources/Python/wheel.sh, "
            "or set SWIFT_FLOWS_LIBRARY to what `swift build -c release --product FlowsC` makes"
        )
    library = ctypes.CDLL(place)
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
