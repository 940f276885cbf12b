//! How a function is called, by its type: what it takes, what it gives, whether it can fail.

const std = @import("std");

/// Takes no parameters.
pub const None = struct {};

fn info(comptime f: anytype) std.builtin.Type.Fn {
    return switch (@typeInfo(@TypeOf(f))) {
        .@"fn" => |function| if (function.is_generic) @compileError("a function's types must all be written out") else function,
        else => @compileError("a function is wanted here, not a " ++ @typeName(@TypeOf(f))),
    };
}

/// The type of an argument.
pub fn Argument(comptime f: anytype, comptime i: usize) type {
    const all = info(f).param_types;
    if (i >= all.len) @compileError(std.fmt.comptimePrint("{s} takes {d} arguments and needs {d}", .{ @typeName(@TypeOf(f)), all.len, i + 1 }));
    return all[i].?;
}

/// The parameters: the argument behind those that every function of the kind has.
pub fn Parameters(comptime f: anytype, comptime leading: usize) type {
    const all = info(f).param_types;
    if (all.len > leading + 1) @compileError(std.fmt.comptimePrint("{s} takes more than {d} arguments", .{ @typeName(@TypeOf(f)), leading + 1 }));
    return if (all.len == leading + 1) all[leading].? else None;
}

/// What is given where nothing fails.
pub fn Payload(comptime Given: type) type {
    return switch (@typeInfo(Given)) {
        .error_union => |failing| failing.payload,
        else => Given,
    };
}

pub fn Return(comptime f: anytype) type {
    return info(f).return_type.?;
}

/// Calls it, with the parameters where it takes them.
pub inline fn call(comptime f: anytype, leading: anytype, parameters: anytype) anyerror!Payload(Return(f)) {
    if (comptime info(f).param_types.len > leading.len) return @call(.auto, f, leading ++ .{parameters});
    return @call(.auto, f, leading);
}
