//! What `std.debug` finds in place of a system: what is printed is logged line by line, and there is nothing else.
//! Zig's own would bring all of WASI into the component.

const std = @import("std");
const host = @import("host.zig");

pub const io: std.Io = .{ .userdata = null, .vtable = &vtable };

const vtable = made: {
    var changed = std.Io.failing.vtable.*;
    changed.swapCancelProtection = swapCancelProtection;
    changed.lockStderr = lockStderr;
    changed.unlockStderr = unlockStderr;
    break :made changed;
};

var file: std.Io.File.Writer = .{
    .io = io,
    .file = .stderr(),
    .interface = .{ .vtable = &.{ .drain = drain }, .buffer = &.{} },
};

fn swapCancelProtection(_: ?*anyopaque, given: std.Io.CancelProtection) std.Io.CancelProtection {
    return given;
}

fn lockStderr(_: ?*anyopaque, _: ?std.Io.Terminal.Mode) std.Io.Cancelable!std.Io.LockedStderr {
    return .{ .file_writer = &file, .terminal_mode = .no_color };
}

fn unlockStderr(_: ?*anyopaque) void {
    file.interface.flush() catch {};
    file.interface.buffer = &.{};
    file.interface.end = 0;
}

/// What is printed and not yet the whole of a line.
var line: [1024]u8 = undefined;
var length: usize = 0;

fn drain(writer: *std.Io.Writer, data: []const []const u8, splat: usize) std.Io.Writer.Error!usize {
    put(writer.buffered());
    writer.end = 0;
    var taken: usize = 0;
    for (data, 1..) |piece, i| {
        for (0..if (i == data.len) splat else 1) |_| {
            put(piece);
            taken += piece.len;
        }
    }
    return taken;
}

fn put(text: []const u8) void {
    for (text) |byte| {
        if (byte == '\n' or length == line.len) {
            host.log(.info, line[0..length]);
            length = 0;
        }
        if (byte != '\n') {
            line[length] = byte;
            length += 1;
        }
    }
}
