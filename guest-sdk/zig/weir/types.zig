//! Which column a Zig type is, and the columns of a row: all of it decided when the function is compiled.

const std = @import("std");

/// In the contract's order.
pub const DataType = enum(u8) { boolean, int32, int64, float32, float64, timestamp, text, bytes };

/// Microseconds since 1970-01-01T00:00:00Z.
pub const Timestamp = extern struct { us: i64 };

/// Bytes that are no text.
pub const Bytes = struct { data: []const u8 };

pub const Field = struct { name: []const u8, data_type: DataType, nullable: bool };

/// The type behind a `?`.
pub fn Present(comptime T: type) type {
    return switch (@typeInfo(T)) {
        .optional => |optional| optional.child,
        else => T,
    };
}

fn known(comptime T: type) ?DataType {
    return switch (T) {
        bool => .boolean,
        i32 => .int32,
        i64 => .int64,
        f32 => .float32,
        f64 => .float64,
        Timestamp => .timestamp,
        []const u8 => .text,
        Bytes => .bytes,
        else => null,
    };
}

pub fn dataType(comptime T: type) DataType {
    return known(Present(T)) orelse @compileError("no column is a " ++ @typeName(T) ++
        ": bool, i32, i64, f32, f64, []const u8, weir.Timestamp and weir.Bytes are, and ? before them");
}

/// Whether it is one value, not a row of them.
pub fn isScalar(comptime T: type) bool {
    return known(Present(T)) != null;
}

/// The bytes of a number; 0 for what has no width of its own.
pub fn width(comptime data_type: DataType) usize {
    return switch (data_type) {
        .int32, .float32 => 4,
        .int64, .float64, .timestamp => 8,
        .boolean, .text, .bytes => 0,
    };
}

/// The columns of a row; a value that is no struct is one column of the given name.
pub fn fields(comptime T: type, comptime scalar: []const u8) []const Field {
    comptime {
        if (T == void) return &.{};
        if (isScalar(T)) return &.{field(scalar, T)};
        const row = switch (@typeInfo(T)) {
            .@"struct" => |row| row,
            else => @compileError("a row is a struct with a field for each column, not a " ++ @typeName(T)),
        };
        var all: [row.field_names.len]Field = undefined;
        for (row.field_names, row.field_types, &all) |name, F, *one| one.* = field(name, F);
        const kept = all;
        return &kept;
    }
}

fn field(comptime name: []const u8, comptime T: type) Field {
    return .{ .name = name, .data_type = dataType(T), .nullable = @typeInfo(T) == .optional };
}

/// What stands where nothing was set.
pub fn zero(comptime T: type) T {
    if (@typeInfo(T) == .optional) return null;
    return switch (T) {
        bool => false,
        []const u8 => "",
        Bytes => .{ .data = "" },
        Timestamp => .{ .us = 0 },
        else => 0,
    };
}

/// A new accumulator or state: the defaults of its fields.
pub fn initial(comptime S: type) S {
    return if (comptime isScalar(S)) zero(S) else .{};
}
