import FluxAPI
import FluxGateway

/// Whoever REST believes, the gateway believes.
extension AccountAuthenticator: GatewayAuthenticator {}
