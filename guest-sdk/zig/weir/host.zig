//! All that a function can reach: its log, its parameters, the batch's time and random numbers.
//!
//! Outside of a component a stand-in answers, so that functions run under `zig test`.

const std = @import("std");
const builtin = @import("builtin");
const memory = @import("memory.zig");

pub const is_component = builtin.target.cpu.arch.isWasm();

/// In the contract's order.
pub const Level = enum(u32) { debug, info, warn, err };

const Answer = extern struct { given: usize, text: [*]const u8, length: usize };

const contract = struct {
    extern "weir:udf/host@0.1.0" fn log(level: u32, text: [*]const u8, length: usize) void;
    extern "weir:udf/host@0.1.0" fn parameter(name: [*]const u8, length: usize, answer: *Answer) void;
    extern "weir:udf/host@0.1.0" fn now() i64;
    extern "weir:udf/host@0.1.0" fn random() u64;
};

/// What the stand-in says.
pub const stand_in = struct {
    pub const Parameter = struct { name: []const u8, text: []const u8 };
    pub var parameters: []const Parameter = &.{};
    pub var now: i64 = 0;
};

pub fn log(level: Level, text: []const u8) void {
    if (is_component) return contract.log(@backingInt(level), text.ptr, text.len);
    std.debug.print("{t}: {s}\n", .{ level, text });
}

/// The text form of a parameter, for the rest of the call.
pub fn parameter(name: []const u8) ?[]const u8 {
    if (is_component) {
        var answer: Answer = undefined;
        contract.parameter(name.ptr, name.len, &answer);
        // The tag is one byte; what stands beside it has no meaning.
        if (@as(u8, @truncate(answer.given)) == 0) return null;
        return if (answer.length == 0) "" else answer.text[0..answer.length];
    }
    for (stand_in.parameters) |given| if (std.mem.eql(u8, given.name, name)) return given.text;
    return null;
}

pub fn now() i64 {
    return if (is_component) contract.now() else stand_in.now;
}

pub fn random() u64 {
    return if (is_component) contract.random() else 0x9e3779b97f4a7c15;
}

/// What `std.log` writes is in the function's log.
pub fn logFn(
    comptime level: std.log.Level,
    comptime scope: @EnumLiteral(),
    comptime format: []const u8,
    arguments: anytype,
) void {
    const prefix = if (scope == .default) "" else "(" ++ @tagName(scope) ++ ") ";
    const text = std.fmt.allocPrint(memory.call, prefix ++ format, arguments) catch return;
    log(switch (level) {
        .err => .err,
        .warn => .warn,
        .info => .info,
        .debug => .debug,
    }, text);
}

/// A panic ends the call with a fault. What it says is in the log before: a trap itself says little.
pub fn panicked(message: []const u8, _: ?usize) noreturn {
    @branchHint(.cold);
    var buffer: [512]u8 = undefined;
    var line: std.Io.Writer = .fixed(&buffer);
    // What does not fit is cut off.
    line.print("panic: {s}", .{message}) catch {};
    log(.err, line.buffered());
    @trap();
}
