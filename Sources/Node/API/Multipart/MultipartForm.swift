import FluxCore
import HTTPTypes
import Hummingbird
import NIOCore

/// A complete multipart request: its JSON and its files.
public struct MultipartForm: Sendable {
    /// One file as it was sent.
    public struct File: Sendable {
        /// n of `files[n]`.
        public let index: Int
        /// The name in the part's header, not cleaned; nil if it had none.
        public let filename: String?
        /// The media type in the part's header, without parameters.
        public let contentType: String?
        /// The bytes.
        public let content: UploadedContent
    }

    /// What `payload_json` held; nil if there was no such part.
    public let payload: JSON?
    /// The files by growing index.
    public let files: [File]

    /// Reads a request's whole body. Parts may come in any order; the one named `payload_json` is JSON whatever type it
    /// claims. Throws 413/40005 beyond a limit, 400/50109 for JSON that is none, 400/50035 for a body that is no form.
    public static func read(
        _ request: Request, limits: MultipartLimits, spool: UploadSpool
    ) async throws -> MultipartForm {
        guard let boundary = request.headers[.contentType].flatMap(MultipartParser.boundary(ofContentType:)) else {
            throw malformed
        }
        try BodyCollector.refuseAnnounced(beyond: limits.totalBytes, request)
        var assembly = MultipartAssembly(spool: spool)
        do {
            var parser = MultipartParser(boundary: boundary, limits: limits)
            for try await piece in request.body {
                try parser.feed(piece)
                while let event = try parser.next() { try await assembly.take(event) }
            }
            try parser.finish()
        } catch let error as MultipartError {
            throw error == .tooLarge ? APIError.requestTooLarge : malformed
        }
        return assembly.form
    }

    fileprivate init(payload: JSON?, files: [File]) {
        self.payload = payload
        self.files = files
    }

    fileprivate static let malformed = APIError.form(
        [], code: "CONTENT_TYPE_INVALID", message: "The body is not a valid multipart form.")
}

/// Puts a form together from the events of its parser.
private struct MultipartAssembly: ~Copyable {
    private let spool: UploadSpool
    private var part: MultipartPart?
    private var field = ByteBuffer()
    private var upload: UploadWriter?
    private var payload: JSON?
    private var files: [Int: MultipartForm.File] = [:]

    init(spool: UploadSpool) { self.spool = spool }

    var form: MultipartForm {
        MultipartForm(payload: payload, files: files.values.sorted { $0.index < $1.index })
    }

    mutating func take(_ event: MultipartParser.Event) async throws {
        switch event {
        case .begin(let part):
            self.part = part
            field.clear()
            if part.fileIndex != nil { upload = try spool.begin() }
        case .content(var bytes):
            if upload != nil {
                try await upload?.append(bytes)
            } else if part?.name == "payload_json" {
                field.writeBuffer(&bytes)
            }
        case .end:
            try await end()
        case .finished:
            break
        }
    }

    private mutating func end() async throws {
        guard let part else { return }
        self.part = nil
        if let index = part.fileIndex, let upload = upload.take() {
            let content = try await upload.finish()
            guard files[index] == nil else { throw MultipartForm.malformed }
            files[index] = MultipartForm.File(
                index: index, filename: part.filename, contentType: part.contentType, content: content)
        } else if part.name == "payload_json" {
            do throws(JSONError) {
                payload = try JSON.parse(Array(buffer: field))
            } catch {
                throw APIError.notJSON
            }
        }
    }
}
