/// Lends Swift strings to C as an array of zero-terminated strings that ends with a null pointer.
enum CStringArray {
    static func with<Result>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result) -> Result {
        var bytes: [CChar] = []
        var offsets: [Int] = []
        for string in strings {
            offsets.append(bytes.count)
            bytes.append(contentsOf: string.utf8.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
        return bytes.withUnsafeBufferPointer { buffer in
            // The pointers are used inside `body` only, while `bytes` is held.
            let pointers: [UnsafePointer<CChar>?] = offsets.map { offset in buffer.baseAddress.map { $0 + offset } } + [nil]
            return pointers.withUnsafeBufferPointer { pointers in
                withExtendedLifetime(pointers) { body(pointers.baseAddress ?? CStringArray.empty) }
            }
        }
    }

    /// Never reached in practice, because the array above holds at least the null pointer.
    private static var empty: UnsafePointer<UnsafePointer<CChar>?> {
        UnsafePointer(UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: 1))
    }
}
