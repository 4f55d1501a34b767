/// The parameters of one statement in binary format, laid out as libpq takes them.
struct EncodedParameters {
    private var buffer: [UInt8] = []
    /// Per parameter its range in `buffer`; nil for NULL.
    private var ranges: [Range<Int>?] = []

    /// Throws `StoreError.invalid` when a value does not fit the type that the query declares.
    init(_ statement: Statement) throws(StoreError) {
        let types = statement.query.parameterTypes
        guard types.count == statement.parameters.count else {
            throw .invalid("\(statement.query.name) takes \(types.count) parameters, not \(statement.parameters.count)")
        }
        ranges.reserveCapacity(types.count)
        for (value, type) in zip(statement.parameters, types) {
            if case .null = value {
                ranges.append(nil)
                continue
            }
            let start = buffer.count
            guard BinaryFormat.append(value, as: type, to: &buffer) else {
                throw .invalid("\(statement.query.name): parameter $\(ranges.count + 1) does not fit \(type)")
            }
            ranges.append(start..<buffer.count)
        }
        // libpq takes a null pointer for NULL, so that even an empty value needs an address.
        buffer.append(0)
    }

    /// Calls `body` with the count, values, lengths and formats that `PQsendQueryPrepared` takes; they are valid only
    /// inside.
    func withPointers<Result>(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> Result
    ) -> Result {
        let lengths = ranges.map { Int32(truncatingIfNeeded: $0?.count ?? 0) }
        let formats = [Int32](repeating: 1, count: ranges.count)
        return buffer.withUnsafeBytes { bytes in
            let values: [UnsafePointer<CChar>?] = ranges.map { range in
                guard let range, let base = bytes.baseAddress else { return nil }
                return (base + range.lowerBound).assumingMemoryBound(to: CChar.self)
            }
            return body(Int32(ranges.count), values, lengths, formats)
        }
    }
}
