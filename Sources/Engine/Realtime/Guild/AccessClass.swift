import FluxCore

/// Names the members who may do the same everywhere in a guild.
///
/// Rights follow from the roles alone, but for the owner and for members with an overwrite of their own: these are in a
/// class by themselves.
struct AccessKey: Hashable, Sendable {
    /// Sorted, without `@everyone`.
    var roles: [RoleID]
    var individual: UserID?
}

/// What the members of one class may do: computed once, shared by all of them.
struct AccessClass: Sendable {
    /// In the guild as a whole.
    var base: Permissions
    /// In each channel by dense index, a time-out not counted; nothing where no channel has the index.
    var permissions: [Permissions]
    /// The channels with VIEW_CHANNEL by dense index.
    var visible: ChannelSet
    /// The same as the streams know it.
    var visibility: ChannelVisibility
}
