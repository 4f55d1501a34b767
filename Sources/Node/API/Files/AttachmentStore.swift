import FluxCore
import FluxSecurity
import NIOCore

/// Keeps the files of messages.
///
/// Who knows a file's URL may fetch it, like a shared link: an `<img>` in a client sends no credential. So the URL must not
/// be guessable, and the attachment's id is what makes it so: unlike other snowflakes it holds 62 random bits instead of
/// a time (below 2^63 like all, and never a small number, because small ones mean `files[n]` in requests).
public struct AttachmentStore: Sendable {
    private let storage: any ObjectStorage
    private let mint: @Sendable () -> AttachmentID

    /// Makes a store that mints ids with `mint`.
    public init(storage: any ObjectStorage, mint: @escaping @Sendable () -> AttachmentID = Self.unguessableID) {
        self.storage = storage
        self.mint = mint
    }

    /// An id that nobody can guess.
    public static func unguessableID() -> AttachmentID {
        let random = SecureRandom.bytes(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        return AttachmentID(random >> 2 | 1 << 62)
    }

    /// Where a file is kept. Its name is hashed: it may hold anything, and a key may not.
    static func key(channelID: ChannelID, attachmentID: AttachmentID, filename: String) -> ObjectKey? {
        let name = Hexadecimal.encode(Digest.sha256(Array(filename.utf8))).prefix(32)
        return ObjectKey(["attachments", "\(channelID)", "\(attachmentID)", String(name)])
    }

    /// Keeps the files of a form, each described by what the message says about it. If one cannot be kept, none is.
    func keep(_ files: [MultipartForm.File], describedBy payload: JSON?, in channelID: ChannelID) async throws
        -> [KeptFile]
    {
        var kept: [KeptFile] = []
        do {
            for file in files {
                kept.append(try await keep(file, describedBy: Self.description(of: file.index, payload), in: channelID))
            }
        } catch {
            await discard(kept.map(\.attachment), in: channelID)
            throw error
        }
        return kept
    }

    /// A file that is kept, and which one of the request it was.
    struct KeptFile: Sendable {
        /// n of `files[n]`.
        let index: Int
        let attachment: Attachment
    }

    /// Forgets files, when the message they came with was refused. What cannot be reached now stays as garbage that no
    /// message points to.
    func discard(_ attachments: [Attachment], in channelID: ChannelID) async {
        for attachment in attachments {
            guard
                let key = Self.key(
                    channelID: channelID, attachmentID: attachment.id, filename: attachment.filename)
            else { continue }
            try? await storage.delete(key)
        }
    }

    private func keep(
        _ file: MultipartForm.File, describedBy described: JSON?, in channelID: ChannelID
    ) async throws -> KeptFile {
        let filename = FileName.clean(Self.name(of: file, described))
        let start = try await file.content.read(0..<min(file.content.size, 128 << 10))
        let header = ImageHeader(Array(buffer: start))
        let claimed = file.contentType.flatMap { $0 != MediaType.unknown && MediaType.isValid($0) ? $0 : nil }
        let type = header?.format.contentType ?? MediaType.of(filename) ?? claimed
        let attachment = Attachment(
            id: mint(), filename: filename, size: Int64(file.content.size), contentType: type, width: header?.width,
            height: header?.height,
            description: described?["description"]?.stringValue.map { text in
                String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\0" }.prefix(1_024)))
            })
        guard let key = Self.key(channelID: channelID, attachmentID: attachment.id, filename: filename) else {
            throw APIError.internalFailure
        }
        try await storage.put(file.content, at: key, contentType: type ?? MediaType.unknown)
        return KeptFile(index: file.index, attachment: attachment)
    }

    /// The entry of a message's `attachments` that speaks of `files[index]`.
    private static func description(of index: Int, _ payload: JSON?) -> JSON? {
        payload?["attachments"]?.arrayValue?.first { entry in
            entry["id"]?.intValue == index || entry["id"]?.stringValue == String(index)
        }
    }

    /// What the message calls the file, else what its part does. hikari percent-encodes that one, and always says the
    /// name in the message as well; discord.py sends it raw. So a name of the part alone is decoded if it can be.
    private static func name(of file: MultipartForm.File, _ described: JSON?) -> String {
        if let name = described?["filename"]?.stringValue, !name.isEmpty { return name }
        guard let name = file.filename else { return "file" }
        return PercentEncoding.decode(name) ?? name
    }
}
