import Files
import FittedModels
import Tensors

/// See `flows.h`, which documents the functions of this module.
@_cdecl("flows_open")
public func flowsOpen(
  _ path: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<CChar>?, _ errorSize: Int64
) -> OpaquePointer? {
  var result: OpaquePointer?
  _ = ErrorBuffer(error, errorSize).status {
    guard let path else { throw WrongCall("expected a path, got a null pointer") }
    let name = String(cString: path)
    let file = try SafeTensors.read(name)
    guard file.metadata["schema"] == nil else {
      throw FlowError.inFile(
        name, "expected a model of numbers, got one of mixed columns, whose rows are texts; take flow score")
    }
    result = Handle.pointer(to: try OpenModel(Model.read(file, from: name)))
  }
  return result
}

@_cdecl("flows_close")
public func flowsClose(_ model: OpaquePointer?) -> Int32 { Handle.close(model) ? 0 : 1 }

@_cdecl("flows_dimension")
public func flowsDimension(_ model: OpaquePointer?) -> Int64 {
  Handle.model(model).map { Int64($0.model.width) } ?? -1
}

@_cdecl("flows_context_dimension")
public func flowsContextDimension(_ model: OpaquePointer?) -> Int64 {
  Handle.model(model).map { Int64($0.model.given?.columns.count ?? 0) } ?? -1
}

@_cdecl("flows_dtype")
public func flowsDtype(_ model: OpaquePointer?) -> Int32 {
  Handle.model(model).map { $0.model.dtype == .float64 ? 64 : 32 } ?? -1
}

/// The model of a caller's pointer.
func opened(_ pointer: OpaquePointer?) throws -> OpenModel {
  guard let model = Handle.model(pointer) else {
    throw WrongCall(
      pointer == nil ? "expected a model, got a null pointer" : "expected an open model, got a closed one")
  }
  return model
}
