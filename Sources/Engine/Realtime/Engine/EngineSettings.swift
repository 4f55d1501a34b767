/// What the engine needs to know of the node's configuration.
public struct EngineSettings: Sendable {
    /// The origin before `/attachments/…`, without a slash at its end; `public_url` of the configuration.
    public var mediaBase: String
    /// Where clients connect and resume: `ws://` or `wss://`, without query (protocol 2).
    public var gatewayURL: String
    /// What is limited per person and channel (protocol 3.6); empty where nothing is.
    public var channelLimits: [ChannelBucket: RateWindow.Rule]
    /// Characters of a message.
    public var maximumContentLength: Int

    /// Milliseconds that a request waits for the node that lends its caller's limits, before its own node lends itself a share.
    public var lenderPatience: Int64 = 500

    public init(
        mediaBase: String, gatewayURL: String, channelLimits: [ChannelBucket: RateWindow.Rule] = [:],
        maximumContentLength: Int = 2000
    ) {
        self.mediaBase = mediaBase
        self.gatewayURL = gatewayURL
        self.channelLimits = channelLimits
        self.maximumContentLength = maximumContentLength
    }
}
