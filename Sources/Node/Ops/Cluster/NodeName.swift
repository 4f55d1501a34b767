import Foundation

extension NodeConfiguration {
    /// What a node is called that has no name yet: what is configured, or the machine's name as a node's may be: lower case,
    /// the first label alone.
    var newNodeName: String {
        if let name { return name }
        let label = ProcessInfo.processInfo.hostName.lowercased().prefix { $0 != "." }
        return ConfigurationValueType<String>.nodeName.parse(.scalar(String(label))) ?? "node"
    }
}
