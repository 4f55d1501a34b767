/// Why a multipart body was refused.
public enum MultipartError: Error, Sendable, Hashable {
    /// A limit was passed.
    case tooLarge
    /// More parts or files than allowed.
    case tooManyParts
    /// The bytes are no multipart/form-data.
    case malformed
    /// The body ended before its closing delimiter.
    case truncated
}
