import Foundation

/// A file in the data directory that says that the node has left its cluster in good order. `flux node leave` looks for it
/// when nobody answers any more: without it, a node that has left looks like one that was killed.
///
/// It is there from the moment at which such a node answers nobody any more, until it is a part of its cluster again.
enum DepartureMark {
    private static let fileName = "left"

    static func write(in directory: DataDirectory) {
        // Only the answer to a repeated command depends on it, so a full disk is no reason to end otherwise.
        _ = FileManager.default.createFile(atPath: directory.file(fileName), contents: nil)
    }

    static func remove(from directory: DataDirectory) {
        try? FileManager.default.removeItem(atPath: directory.file(fileName))
    }

    /// Whether the node of that directory has left. For another process than the node's, which does not hold the directory.
    static func isIn(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path + "/" + fileName)
    }
}
