//! Parameters: a struct whose fields are their names, types and defaults. Read once in the life of an instance.

const std = @import("std");
const failures = @import("failures.zig");
const host = @import("host.zig");
const memory = @import("memory.zig");
const types = @import("types.zig");

pub const Parameter = struct { name: []const u8, data_type: types.DataType, default: ?[]const u8, doc: []const u8 };

/// What the catalog says of them. Words for each stand in a declaration of the struct,
/// `pub const docs = .{ .limit = "From where on it is dear." };`
pub fn list(comptime P: type) []const Parameter {
    comptime {
        const info = @typeInfo(P).@"struct";
        var all: [info.field_names.len]Parameter = undefined;
        for (info.field_names, info.field_types, info.field_attrs, &all) |name, T, attributes, *one| {
            if (@typeInfo(T) == .optional) @compileError("the parameter " ++ name ++ " can't be null");
            one.* = .{
                .name = name,
                .data_type = types.dataType(T),
                .default = if (attributes.defaultValue(T)) |default| form(T, default) else null,
                .doc = if (@hasDecl(P, "docs") and @hasField(@TypeOf(P.docs), name)) @field(P.docs, name) else "",
            };
        }
        const kept = all;
        return &kept;
    }
}

fn form(comptime T: type, comptime default: T) []const u8 {
    @setEvalBranchQuota(1_000_000);
    return switch (T) {
        bool => if (default) "true" else "false",
        []const u8 => default,
        types.Bytes => default.data,
        types.Timestamp => std.fmt.comptimePrint("{d}", .{default.us}),
        else => std.fmt.comptimePrint("{d}", .{default}),
    };
}

/// What the pipeline gives.
pub fn read(comptime P: type, held: *?P) failures.Refused!P {
    if (held.*) |parsed| return parsed;
    var parsed: P = undefined;
    const info = @typeInfo(P).@"struct";
    inline for (info.field_names, info.field_types, info.field_attrs) |name, T, attributes| {
        @field(parsed, name) = if (host.parameter(name)) |text|
            parse(T, text) orelse return failures.refuse(
                "the parameter {s} is \"{s}\", which is no {t}",
                .{ name, text, comptime types.dataType(T) },
            )
        else
            (comptime attributes.defaultValue(T)) orelse return failures.refuse("the parameter {s} is missing", .{name});
    }
    held.* = parsed;
    return parsed;
}

fn parse(comptime T: type, text: []const u8) ?T {
    return switch (T) {
        bool => if (std.mem.eql(u8, text, "true")) true else if (std.mem.eql(u8, text, "false")) false else null,
        i32, i64 => std.fmt.parseInt(T, text, 10) catch null,
        f32, f64 => std.fmt.parseFloat(T, text) catch null,
        types.Timestamp => .{ .us = std.fmt.parseInt(i64, text, 10) catch return null },
        []const u8 => memory.lasting.dupe(u8, text) catch @panic("out of memory"),
        types.Bytes => .{ .data = memory.lasting.dupe(u8, text) catch @panic("out of memory") },
        else => comptime unreachable,
    };
}
