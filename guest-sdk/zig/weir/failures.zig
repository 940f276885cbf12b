//! Rows that failed, and calls that are refused.
//!
//! A Zig error has a name and nothing else: a message that was put together waits here until the error
//! that goes with it has come up.

const std = @import("std");
const columns = @import("columns.zig");
const memory = @import("memory.zig");

pub const Refused = error{Refused};

const RowError = extern struct { row: usize, message: columns.List };

var message: ?[]const u8 = null;
var rows: std.ArrayList(RowError) = .empty;

/// The row fails with this message: `return weir.fail("{s} is no price", .{text})`. Any other error fails it
/// with its name.
pub fn fail(comptime format: []const u8, arguments: anytype) error{RowFailed} {
    message = print(format, arguments);
    return error.RowFailed;
}

/// The whole call can't be served: the pipeline fails with this message.
pub fn refuse(comptime format: []const u8, arguments: anytype) Refused {
    message = print(format, arguments);
    return error.Refused;
}

/// The same for an error of a call as a whole.
pub fn refuseWith(failed: anyerror) Refused {
    if (message == null) message = @errorName(failed);
    return error.Refused;
}

fn print(comptime format: []const u8, arguments: anytype) []const u8 {
    return std.fmt.allocPrint(memory.call, format, arguments) catch @panic("out of memory");
}

/// A call begins.
pub fn begin() void {
    message = null;
    rows = .empty;
}

/// Takes what a function gave for a row; a refusal goes on to the caller.
pub fn take(row: usize, failed: anyerror) Refused!void {
    @branchHint(.unlikely);
    switch (failed) {
        error.Refused => return error.Refused,
        // Smaller batches may fit.
        error.OutOfMemory => @panic("out of memory"),
        else => {},
    }
    const said = message orelse @errorName(failed);
    message = null;
    rows.append(memory.call, .{ .row = row, .message = .of(u8, said) }) catch @panic("out of memory");
}

pub fn refusal() []const u8 {
    return message orelse "refused";
}

pub fn all() columns.List {
    return .{ .address = @intFromPtr(rows.items.ptr), .length = rows.items.len };
}
