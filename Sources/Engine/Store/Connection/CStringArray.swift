#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Lends Swift strings to C as an array of zero-terminated strings that ends with a null pointer.
enum CStringArray {
    static func with<Result>(_ strings: [String], _ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies.map { UnsafePointer($0) } + [nil])
    }
}
