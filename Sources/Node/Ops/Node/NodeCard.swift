import FluxCore
import Foundation

/// What a running node tells local tools about itself, in `node.json` of its data directory: which process it is and the
/// addresses it has bound, which port 0 leaves to the system.
///
/// The file is there from the moment the node serves until it begins to stop.
struct NodeCard: Sendable {
    private static let fileName = "node.json"

    let name: String
    let url: String
    let listen: Endpoint
    let admin: Endpoint

    func write(in directory: DataDirectory) throws(CommandFailure) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("pid")
        writer.int(ProcessInfo.processInfo.processIdentifier)
        writer.key("name")
        writer.string(name)
        writer.key("url")
        writer.string(url)
        writer.key("listen")
        writer.string(listen.description)
        writer.key("admin")
        writer.string(admin.description)
        writer.endObject()
        let path = directory.file(Self.fileName)
        do {
            // Moved into place whole, so that who waits for the file never reads half of it.
            try Data(writer.bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CommandFailure(.cannotCreate, "\(path): cannot be written: \(error.localizedDescription)")
        }
    }

    static func remove(from directory: DataDirectory) {
        try? FileManager.default.removeItem(atPath: directory.file(fileName))
    }
}
