/// Gives `body` the bytes of any collection as one buffer: without a copy where the collection is stored in one piece
/// (arrays, slices, native strings, byte buffer views), with one copy elsewhere.
///
/// The pointer is good only during the call. It may be null where the collection is empty.
func withContiguousBytes<Result, Failure: Error>(
    of bytes: some Collection<UInt8>,
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
) throws(Failure) -> Result {
    // The inner closure cannot carry the typed error through the standard library's `rethrows`, so it carries a value.
    let inPlace: Swift.Result<Result, Failure>? = bytes.withContiguousStorageIfAvailable { buffer in
        do throws(Failure) { return .success(try body(buffer)) } catch { return .failure(error) }
    }
    if let inPlace { return try inPlace.get() }
    let copied: Swift.Result<Result, Failure> = Array(bytes).withUnsafeBufferPointer { buffer in
        do throws(Failure) { return .success(try body(buffer)) } catch { return .failure(error) }
    }
    return try copied.get()
}
