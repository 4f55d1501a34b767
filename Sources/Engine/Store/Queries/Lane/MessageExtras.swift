import FluxCore

/// What only the reader of a message needs, in one column: embeds, components, attachments, stickers, reference, webhook
/// and application. Most messages have none of it and store NULL.
enum MessageExtras {
    /// The column's value: a JSON object in UTF-8 without the parts that are empty; nil where all are.
    static func encode(_ message: Message) -> [UInt8]? {
        guard holdsAny(message) else { return nil }
        var object = JSONObject([])
        if hasElements(message.embeds) { object["embeds"] = message.embeds }
        if hasElements(message.components) { object["components"] = message.components }
        if !message.attachments.isEmpty { object["attachments"] = .array(message.attachments.map(encode)) }
        if !message.stickerIDs.isEmpty { object["stickers"] = .array(message.stickerIDs.map { JSON($0) }) }
        if let reference = message.reference { object["reference"] = encode(reference) }
        if let webhookID = message.webhookID { object["webhook"] = JSON(webhookID) }
        if let applicationID = message.applicationID { object["application"] = JSON(applicationID) }
        return JSON.object(object).encoded()
    }

    /// Puts what `encode` made back into `message`.
    static func decode(_ bytes: [UInt8], into message: inout Message) throws(StoreError) {
        guard let json = try? JSON.parse(bytes) else { throw .corrupt("extras of message \(message.id)") }
        if let embeds = json["embeds"] { message.embeds = embeds }
        if let components = json["components"] { message.components = components }
        message.attachments = json["attachments"]?.arrayValue?.compactMap(attachment) ?? []
        message.stickerIDs = json["stickers"]?.arrayValue?.compactMap(\.snowflakeValue) ?? []
        message.reference = json["reference"].flatMap(reference)
        message.webhookID = json["webhook"]?.snowflakeValue
        message.applicationID = json["application"]?.snowflakeValue
    }

    private static func holdsAny(_ message: Message) -> Bool {
        !message.attachments.isEmpty || message.reference != nil || hasElements(message.embeds)
            || hasElements(message.components) || !message.stickerIDs.isEmpty || message.webhookID != nil
            || message.applicationID != nil
    }

    private static func hasElements(_ json: JSON) -> Bool {
        json.arrayValue?.isEmpty == false
    }

    private static func encode(_ attachment: Attachment) -> JSON {
        var object = JSONObject([
            .init(key: "id", value: JSON(attachment.id)),
            .init(key: "filename", value: .string(attachment.filename)),
            .init(key: "size", value: .number(.integer(attachment.size))),
        ])
        if let contentType = attachment.contentType { object["content_type"] = .string(contentType) }
        if let width = attachment.width { object["width"] = JSON(width) }
        if let height = attachment.height { object["height"] = JSON(height) }
        if let description = attachment.description { object["description"] = .string(description) }
        return .object(object)
    }

    private static func attachment(_ json: JSON) -> Attachment? {
        guard let id = json["id"]?.snowflakeValue, let filename = json["filename"]?.stringValue,
            let size = json["size"]?.intValue
        else { return nil }
        return Attachment(
            id: id, filename: filename, size: Int64(size), contentType: json["content_type"]?.stringValue,
            width: json["width"]?.intValue, height: json["height"]?.intValue,
            description: json["description"]?.stringValue)
    }

    private static func encode(_ reference: MessageReference) -> JSON {
        var object = JSONObject([
            .init(key: "type", value: JSON(reference.kind.rawValue)),
            .init(key: "channel", value: JSON(reference.channelID)),
            .init(key: "message", value: JSON(reference.messageID)),
        ])
        if let guildID = reference.guildID { object["guild"] = JSON(guildID) }
        return .object(object)
    }

    private static func reference(_ json: JSON) -> MessageReference? {
        guard let channelID = json["channel"]?.snowflakeValue, let messageID = json["message"]?.snowflakeValue
        else { return nil }
        return MessageReference(
            kind: json["type"]?.intValue.flatMap(MessageReference.Kind.init(rawValue:)) ?? .reply,
            channelID: channelID, messageID: messageID, guildID: json["guild"]?.snowflakeValue)
    }
}
