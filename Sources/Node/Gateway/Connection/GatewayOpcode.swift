/// The number `op` of a gateway payload (protocol 7.3).
enum GatewayOpcode: Int, Sendable {
    case dispatch = 0
    case heartbeat = 1
    case identify = 2
    case presenceUpdate = 3
    case voiceStateUpdate = 4
    case resume = 6
    case reconnect = 7
    case requestGuildMembers = 8
    case invalidSession = 9
    case hello = 10
    case heartbeatAcknowledgement = 11
    case lazyRequest = 14
    case soundboardRequest = 31
    case channelInfoRequest = 43
    /// Extension: a message sent over the socket (protocol 10.2).
    case messageSend = 100
    /// Extension: what became of it.
    case messageSendAcknowledgement = 101
}
