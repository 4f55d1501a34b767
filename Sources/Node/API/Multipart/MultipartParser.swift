import NIOCore

/// Takes a multipart/form-data body apart as it arrives (RFC 7578, RFC 2046 5.1). A pure state machine: bytes in, events
/// out, no I/O.
///
/// Total: every sequence of bytes, cut into pieces anywhere, gives the same events and ends in `finished` or an error, in
/// time linear in the bytes. It keeps at most one header block or one delimiter's length beyond the piece it was given.
public struct MultipartParser: Sendable {
    /// What the body holds next.
    public enum Event: Sendable, Equatable {
        /// A part begins.
        case begin(MultipartPart)
        /// Bytes of the part that began last, never empty.
        case content(ByteBuffer)
        /// That part is complete.
        case end
        /// The closing delimiter; whatever follows is ignored.
        case finished
    }

    private enum State: Sendable {
        /// Before the first delimiter.
        case preamble
        /// Behind a delimiter, where either a part or the end follows.
        case delimited
        /// In the header of a part.
        case header
        /// In the content of a part that may have so many more bytes.
        case content(room: Int)
        /// Behind the closing delimiter.
        case epilogue
        /// After an error, which is thrown again.
        case failed(MultipartError)
    }

    private let delimiter: [UInt8]
    private let limits: MultipartLimits
    private var state = State.preamble
    private var buffer = ByteBuffer()
    private var received = 0
    private var parts = 0
    private var files = 0
    /// How many of the buffered header bytes are known to hold no empty line.
    private var searched = 0

    /// Makes a parser for a boundary of 1 to 70 bytes.
    public init(boundary: String, limits: MultipartLimits) {
        delimiter = Array("\r\n--\(boundary)".utf8)
        self.limits = limits
        // As if a line had ended before the body, so that the first delimiter is found like any other.
        buffer.writeString("\r\n")
    }

    /// The boundary that a `Content-Type` names; nil if it is no multipart/form-data or names no usable one.
    public static func boundary(ofContentType value: String) -> String? {
        let parameters = HeaderParameters(value[...].unicodeScalars)
        guard parameters.value == "multipart/form-data", let boundary = parameters["boundary"],
            (1...70).contains(boundary.utf8.count), boundary.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
        else { return nil }
        return boundary
    }

    /// Hands over the next piece of the body. Take every event before the next piece.
    public mutating func feed(_ piece: ByteBuffer) throws(MultipartError) {
        received += piece.readableBytes
        if received > limits.totalBytes { throw fail(.tooLarge) }
        if case .epilogue = state { return }
        var piece = piece
        buffer.discardReadBytes()
        buffer.writeBuffer(&piece)
    }

    /// Says that the body has ended.
    public mutating func finish() throws(MultipartError) {
        switch state {
        case .epilogue: return
        case .failed(let error): throw error
        default: throw fail(.truncated)
        }
    }

    /// The next event, nil until more bytes come.
    public mutating func next() throws(MultipartError) -> Event? {
        while true {
            switch state {
            case .preamble:
                guard skipPreamble() else { return nil }
            case .delimited:
                guard let follows = try readDelimiterEnd() else { return nil }
                if follows == .epilogue {
                    state = .epilogue
                    buffer.clear()
                    return .finished
                }
                state = .header
                searched = 0
            case .header:
                return try readHeader().map { .begin($0) }
            case .content(let room):
                return try readContent(room: room)
            case .epilogue:
                return nil
            case .failed(let error):
                throw error
            }
        }
    }

    private enum Follows { case part, epilogue }

    private mutating func fail(_ error: MultipartError) -> MultipartError {
        state = .failed(error)
        buffer.clear()
        return error
    }

    /// Drops bytes up to the end of the first delimiter. True when it was found.
    private mutating func skipPreamble() -> Bool {
        let (clean, isFound) = scan()
        buffer.moveReaderIndex(forwardBy: clean)
        guard isFound else { return false }
        buffer.moveReaderIndex(forwardBy: delimiter.count)
        state = .delimited
        return true
    }

    /// Reads what stands behind a delimiter: `--` closes the body; blanks and a line end begin a part.
    private mutating func readDelimiterEnd() throws(MultipartError) -> Follows? {
        let view = buffer.readableBytesView
        guard let first = view.first else { return nil }
        if first == UInt8(ascii: "-") {
            guard view.count >= 2 else { return nil }
            guard view[view.startIndex + 1] == UInt8(ascii: "-") else { throw fail(.malformed) }
            return .epilogue
        }
        guard let end = view.firstIndex(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) else {
            if view.count > 128 { throw fail(.malformed) }
            return nil
        }
        guard end + 1 < view.endIndex else {
            if view[end] != UInt8(ascii: "\r") || view.count > 128 { throw fail(.malformed) }
            return nil
        }
        guard view[end] == UInt8(ascii: "\r"), view[end + 1] == UInt8(ascii: "\n") else { throw fail(.malformed) }
        parts += 1
        if parts > limits.parts { throw fail(.tooManyParts) }
        // The line end stays: an empty header block is then found by its own CR LF CR LF as well.
        buffer.moveReaderIndex(forwardBy: end - view.startIndex)
        return .part
    }

    /// Reads a header block, which lies between the line end of the delimiter and an empty line.
    private mutating func readHeader() throws(MultipartError) -> MultipartPart? {
        let view = buffer.readableBytesView
        var index = view.startIndex + searched
        while let carriage = view[index...].firstIndex(of: UInt8(ascii: "\r")), carriage + 3 < view.endIndex {
            if view[carriage + 1] == UInt8(ascii: "\n"), view[carriage + 2] == UInt8(ascii: "\r"),
                view[carriage + 3] == UInt8(ascii: "\n")
            {
                let length = carriage - view.startIndex
                guard length <= limits.headerBytes else { throw fail(.tooLarge) }
                guard let part = MultipartPart(headerBlock: view[..<carriage]) else { throw fail(.malformed) }
                if part.fileIndex != nil { files += 1 }
                if files > limits.files { throw fail(.tooManyParts) }
                buffer.moveReaderIndex(forwardBy: length + 4)
                state = .content(room: part.fileIndex == nil ? limits.fieldBytes : limits.fileBytes)
                return part
            }
            index = carriage + 1
        }
        searched = max(0, view.count - 3)
        if view.count > limits.headerBytes + 4 { throw fail(.tooLarge) }
        return nil
    }

    /// Reads content up to the next delimiter, or as far as it cannot be the beginning of one.
    private mutating func readContent(room: Int) throws(MultipartError) -> Event? {
        let (clean, isFound) = scan()
        if clean > 0 {
            guard clean <= room else { throw fail(.tooLarge) }
            guard let slice = buffer.readSlice(length: clean) else { return nil }
            state = .content(room: room - clean)
            return .content(slice)
        }
        guard isFound else { return nil }
        buffer.moveReaderIndex(forwardBy: delimiter.count)
        state = .delimited
        return .end
    }

    /// How many bytes stand before the delimiter, or before what may be its beginning, and whether it is there whole.
    private func scan() -> (clean: Int, isFound: Bool) {
        let view = buffer.readableBytesView
        var index = view.startIndex
        while let carriage = view[index...].firstIndex(of: UInt8(ascii: "\r")) {
            let candidate = view[carriage...].prefix(delimiter.count)
            if delimiter.starts(with: candidate) {
                return (carriage - view.startIndex, candidate.count == delimiter.count)
            }
            index = carriage + 1
        }
        return (view.count, false)
    }
}
