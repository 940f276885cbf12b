//! A function of a component: its kind, its words, and a namespace with what is called and with which types.

/// In the contract's order.
pub const Kind = enum(u8) { mapper, filter, flat_mapper, aggregate, stateful_mapper, group_mapper };

pub const Function = struct {
    kind: Kind,
    doc: []const u8,
    /// `Input`, `Output`, `Parameters`, of some kinds `State`, and what the host calls.
    calls: type,
};
