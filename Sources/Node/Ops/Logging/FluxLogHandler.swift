import FluxCore
import Logging

/// Writes log events as lines for people or as JSON objects, metadata in the order of its names.
struct FluxLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: NodeConfiguration.LogSettings.Format
    private let sink: LogSink

    init(label: String, settings: NodeConfiguration.LogSettings, sink: LogSink) {
        self.label = label
        self.format = settings.format
        self.sink = sink
        logLevel = Logger.Level(rawValue: settings.level.rawValue) ?? .info
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata
        fields.merge(metadataProvider?.get() ?? [:]) { $1 }
        fields.merge(event.metadata ?? [:]) { $1 }
        if let error = event.error {
            fields["error"] = "\(error)"
        }
        let sorted = fields.sorted { $0.key < $1.key }
        let time = Timestamp.now().description
        switch format {
        case .text: sink.write(textLine(event, time: time, sorted))
        case .json: sink.write(jsonLine(event, time: time, sorted))
        }
    }

    private func textLine(_ event: LogEvent, time: String, _ fields: [(key: String, value: Logger.MetadataValue)])
        -> String
    {
        var line = "\(time) \(event.level) \(label): \(Self.oneLine(event.message.description))"
        for (key, value) in fields {
            line += " \(key)=\(Self.oneLine(value.description))"
        }
        return line
    }

    private func jsonLine(_ event: LogEvent, time: String, _ fields: [(key: String, value: Logger.MetadataValue)])
        -> String
    {
        var writer = JSONWriter()
        writer.beginObject()
        for (key, value) in [
            ("time", time), ("level", event.level.rawValue), ("logger", label), ("message", event.message.description),
        ] {
            writer.key(escaping: key)
            writer.string(value)
        }
        if !fields.isEmpty {
            writer.key("fields")
            writer.beginObject()
            for (key, value) in fields {
                writer.key(escaping: key)
                writer.string(value.description)
            }
            writer.endObject()
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// A text that cannot break the line or move the cursor of a terminal.
    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        return text.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }.joined()
    }
}
