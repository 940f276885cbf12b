//! Write functions for Weir in Zig.
//!
//! A function is a plain `fn` from a row to a row: structs of `bool`, `i32`, `i64`, `f32`, `f64`, `[]const u8`,
//! `weir.Timestamp` and `weir.Bytes`, with a `?` where there may be nulls. A public constant makes it one of the
//! component, under the constant's name; what it takes and gives is read off its type when it is compiled.
//!
//! Texts and bytes that come in, and what `allocator` gives, last until the call is over. Nothing has to be freed,
//! and nothing else is remembered.

const host = @import("host.zig");
const memory = @import("memory.zig");
const types = @import("types.zig");

pub const Timestamp = types.Timestamp;
pub const Bytes = types.Bytes;
pub const Function = @import("function.zig").Function;
pub const Emitter = @import("rows.zig").Emitter;

pub const map = @import("rows.zig").map;
pub const mapColumns = @import("rows.zig").mapColumns;
pub const filter = @import("rows.zig").filter;
pub const flatMap = @import("rows.zig").flatMap;
pub const aggregate = @import("states.zig").aggregate;
pub const statefulMap = @import("states.zig").statefulMap;
pub const statefulFilter = @import("states.zig").statefulFilter;
pub const statefulFlatMap = @import("states.zig").statefulFlatMap;
pub const groupMap = @import("states.zig").groupMap;
pub const groupFlatMap = @import("states.zig").groupFlatMap;

pub const fail = @import("failures.zig").fail;
pub const refuse = @import("failures.zig").refuse;

/// Memory for what a function gives, until the call is over.
pub const allocator = memory.call;
/// Memory that lasts as long as the instance, which the host may drop between two calls: for caches.
pub const lasting = memory.lasting;

/// The batch's event time. Not a clock: a replay sees the same.
pub fn now() Timestamp {
    return .{ .us = host.now() };
}

/// The next of the host's numbers. A replay sees the same.
pub const random = host.random;

/// What stands in for the host outside of a component.
pub const stand_in = host.stand_in;

/// What the root of a component says: what is logged, printed or said by a panic goes to the function's log.
pub const logFn = host.logFn;
pub const panicked = host.panicked;
pub const printed = @import("printed.zig").io;

/// The calls of a component with the functions of this namespace; and how rows become columns and come back, to
/// try them with.
pub const Component = @import("component.zig").Component;
pub const columns = @import("columns.zig");
pub const Signature = @import("catalog.zig").Signature;
