/// The close codes of protocol 7.6.
public enum GatewayCloseCode: UInt16, Sendable {
    case normal = 1000
    case goingAway = 1001
    case unknownError = 4000
    case unknownOpcode = 4001
    case undecodable = 4002
    case notIdentified = 4003
    case authenticationFailed = 4004
    case alreadyIdentified = 4005
    case invalidSequence = 4007
    case rateLimited = 4008
    case timedOut = 4009
    case invalidShard = 4010
    case shardingRequired = 4011
    case invalidVersion = 4012
    case invalidIntents = 4013
    case disallowedIntents = 4014
}
