import Foundation

/// What a run says while it goes on, on standard error.
enum Notices {
    static func say(_ text: String) { FileHandle.standardError.write(Data(("flux-bench: " + text + "\n").utf8)) }
}
