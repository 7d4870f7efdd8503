"""A program in StableHLO as an operation of JAX."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import func


@dataclasses.dataclass(frozen=True)
class Program:
    """The text of a module whose function is `main`, and the shapes and dtypes of its results."""

    text: str
    results: tuple

    def __call__(self, *arguments):
        return _run(*arguments, program=self)


_program = Primitive("swift_flows_program")
_program.multiple_results = True


@_program.def_abstract_eval
def _(*arguments, program):
    return [jax.core.ShapedArray(shape, dtype) for shape, dtype in program.results]


def _lower(context, *arguments, program):
    """Puts the functions into the module that is being compiled, and calls `main`."""
    module = ir.Module.parse(program.text)
    own = [op for op in module.body.operations if isinstance(op, func.FuncOp)]
    main = next(op for op in own if op.name.value == "main")
    types = list(main.type.results)
    names = {}
    # The functions that main calls come first.
    for function in sorted(own, key=lambda op: op is main):
        for op in function.body.blocks[0].operations:
            if op.operation.name == "func.call":
                op.operation.attributes["callee"] = ir.FlatSymbolRefAttr.get(names[op.callee.value])
        name = function.name.value
        function.attributes["sym_name"] = ir.StringAttr.get(f"swift_flows_{name}")
        function.attributes["sym_visibility"] = ir.StringAttr.get("private")
        copy = function.operation.clone(ip=ir.InsertionPoint(context.module_context.module.body))
        # Another program may have the name.
        names[name] = context.module_context.symbol_table.insert(copy).value
    return func.CallOp(types, ir.FlatSymbolRefAttr.get(names["main"]), list(arguments)).results


mlir.register_lowering(_program, _lower)


def _batched(arguments, axes, *, program):
    """A program is for a fixed number of rows, so each element of a batch is a call of its own."""
    is_mapped = [axis is not None for axis in axes]
    mapped = [jnp.moveaxis(x, axis, 0) for x, axis, own in zip(arguments, axes, is_mapped) if own]

    def call(elements):
        elements = iter(elements)
        return _program.bind(
            *(next(elements) if own else x for x, own in zip(arguments, is_mapped)), program=program)

    results = jax.lax.map(call, mapped)
    return results, [0] * len(results)


batching.primitive_batchers[_program] = _batched


@functools.partial(jax.jit, static_argnames="program")
def _run(*arguments, program):
    return _program.bind(*arguments, program=program)
