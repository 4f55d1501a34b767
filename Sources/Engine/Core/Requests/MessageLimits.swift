/// Bounds of what a message may hold (protocol 5.5).
public enum MessageLimits {
    /// Unicode scalar values of `content`.
    public static let content = 2000
    /// Characters of `nonce`.
    public static let nonce = 25
    public static let embeds = 10
    public static let components = 40
    public static let stickers = 3
    public static let attachments = 10
    /// Unicode scalar values of a file's name.
    public static let filename = 260
    /// Unicode scalar values of a file's description.
    public static let attachmentDescription = 1024
    /// Bytes of `embeds` and of `components` each, as they are stored.
    public static let embedBytes = 64 * 1024
    /// The flags that a sender may set: 4 suppress embeds, 4096 silent.
    public static let senderFlags = 4 | 4096
    /// How long a nonce is remembered, in seconds.
    public static let nonceSeconds = 600
}
