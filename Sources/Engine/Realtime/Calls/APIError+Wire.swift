import FluxCluster
import FluxCore

/// APIErrors cross between nodes as what they are.
extension APIError: WireFailure {
    public static var failureNumber: UInt16 { 1 }

    public func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.signed(status)
            fields.signed(code)
            fields.string(message)
            fields.optional(retryAfter)
            fields.bool(isGlobal)
            fields.bool(form != nil)
            if let form {
                fields.unsigned(UInt(form.entries.count))
                for entry in form.entries {
                    fields.list(entry.path)
                    fields.string(entry.code)
                    fields.string(entry.message)
                }
            }
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            var error = APIError(status: try fields.signed(), code: try fields.signed(), message: try fields.string())
            error.retryAfter = try fields.optional()
            error.isGlobal = try fields.bool()
            guard try fields.bool() else { return error }
            var form = FormErrors()
            for _ in 0..<(try fields.unsigned(UInt.self)) {
                form.add(try fields.list(), code: try fields.string(), message: try fields.string())
            }
            error.form = form
            return error
        }
    }
}
