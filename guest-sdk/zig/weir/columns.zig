//! Rows out of columns and back. Columns are in Arrow's layout, as the contract has them; numbers are read
//! and written where they stand.

const std = @import("std");
const memory = @import("memory.zig");
const types = @import("types.zig");

/// A list as it stands in the canonical ABI. The address of an empty one may be anything.
pub const List = extern struct {
    address: usize = 0,
    length: usize = 0,

    pub fn of(comptime T: type, all: []const T) List {
        return .{ .address = @intFromPtr(all.ptr), .length = all.len };
    }

    /// The items of a list that came in.
    pub fn items(list: List, comptime T: type) []T {
        if (list.length == 0) return &.{};
        return @as([*]T, @ptrFromInt(list.address))[0 .. list.length / @sizeOf(T)];
    }

    inline fn at(list: List, comptime T: type, index: usize) T {
        return @as([*]const T, @ptrFromInt(list.address))[index];
    }
};

pub const Column = extern struct { validity: List = .{}, offsets: List = .{}, values: List = .{} };

/// Rows that came in, or a function's own.
pub const Batch = struct { rows: usize, columns: []const Column };

inline fn bit(bits: List, row: usize) bool {
    return bits.at(u8, row / 8) >> @intCast(row % 8) & 1 != 0;
}

inline fn value(comptime T: type, column: Column, row: usize) T {
    if (@typeInfo(T) == .optional) {
        if (column.validity.length != 0 and !bit(column.validity, row)) return null;
        return value(types.Present(T), column, row);
    }
    return switch (T) {
        bool => bit(column.values, row),
        []const u8 => text(column, row),
        types.Bytes => .{ .data = text(column, row) },
        else => column.values.at(T, row),
    };
}

inline fn text(column: Column, row: usize) []const u8 {
    const from = column.offsets.at(u32, row);
    const to = column.offsets.at(u32, row + 1);
    if (from == to) return "";
    return @as([*]const u8, @ptrFromInt(column.values.address + from))[0 .. to - from];
}

/// Gives the rows of a batch as `T`.
pub fn Reader(comptime T: type) type {
    const count = types.fields(T, "").len;
    return struct {
        /// A copy: what is written meanwhile cannot change it, so that its addresses stay in registers.
        columns: [count]Column,

        pub fn init(batch: Batch) @This() {
            return .{ .columns = batch.columns[0..count].* };
        }

        pub inline fn get(reader: *const @This(), row: usize) T {
            if (comptime types.isScalar(T)) return value(T, reader.columns[0], row);
            var result: T = undefined;
            const info = @typeInfo(T).@"struct";
            inline for (info.field_names, info.field_types, 0..) |name, F, i| {
                @field(result, name) = value(F, reader.columns[i], row);
            }
            return result;
        }

        /// All rows, for as long as the call.
        pub fn all(reader: *const @This(), rows: usize) []T {
            const made = memory.room(T, rows);
            for (made, 0..) |*one, row| one.* = reader.get(row);
            return made;
        }
    };
}

/// Takes rows as `T`, each once, and gives their columns.
pub fn Writer(comptime T: type) type {
    const fields = types.fields(T, "");
    const Out = struct { validity: []u8, values: []u8, texts: [][]const u8 };
    return struct {
        rows: usize,
        out: [fields.len]Out,

        pub fn init(rows: usize) @This() {
            var writer: @This() = .{ .rows = rows, .out = undefined };
            const bits = (rows + 7) / 8;
            inline for (fields, &writer.out) |field, *out| {
                out.* = .{
                    .validity = if (field.nullable) memory.zeroed(u8, bits) else &.{},
                    .values = switch (field.data_type) {
                        .boolean => memory.zeroed(u8, bits),
                        .text, .bytes => &.{},
                        else => |number| memory.room(u8, rows * types.width(number)),
                    },
                    .texts = switch (field.data_type) {
                        .text, .bytes => memory.room([]const u8, rows),
                        else => &.{},
                    },
                };
            }
            return writer;
        }

        pub inline fn put(writer: *const @This(), row: usize, given: T) void {
            if (T == void) return;
            if (comptime types.isScalar(T)) return store(T, writer.out[0], row, given);
            const info = @typeInfo(T).@"struct";
            inline for (info.field_names, info.field_types, 0..) |name, F, i| {
                store(F, writer.out[i], row, @field(given, name));
            }
        }

        /// A row that failed.
        pub inline fn nothing(writer: *const @This(), row: usize) void {
            if (T == void) return;
            if (comptime types.isScalar(T)) return store(T, writer.out[0], row, comptime types.zero(T));
            inline for (@typeInfo(T).@"struct".field_types, 0..) |F, i| {
                store(F, writer.out[i], row, comptime types.zero(F));
            }
        }

        inline fn store(comptime F: type, out: Out, row: usize, given: F) void {
            if (@typeInfo(F) == .optional) {
                const Inner = types.Present(F);
                const present = given orelse return store(Inner, out, row, comptime types.zero(Inner));
                set(out.validity, row);
                return store(Inner, out, row, present);
            }
            switch (F) {
                bool => if (given) set(out.values, row),
                []const u8 => out.texts[row] = given,
                types.Bytes => out.texts[row] = given.data,
                else => @as([*]F, @ptrCast(@alignCast(out.values.ptr)))[row] = given,
            }
        }

        /// A column of numbers that is filled as a whole, no row of it null.
        pub fn column(writer: *const @This(), comptime i: usize, comptime F: type) []F {
            return if (writer.rows == 0) &.{} else @as([*]F, @ptrCast(@alignCast(writer.out[i].values.ptr)))[0..writer.rows];
        }

        pub fn batch(writer: *const @This()) Batch {
            const columns = memory.zeroed(Column, fields.len);
            inline for (fields, writer.out, 0..) |field, out, i| {
                const into = &columns[i];
                if (field.nullable) into.validity = .of(u8, out.validity);
                switch (field.data_type) {
                    .text, .bytes => {
                        const offsets = memory.room(u32, writer.rows + 1);
                        var total: usize = 0;
                        for (out.texts, offsets[0..writer.rows]) |one, *offset| {
                            offset.* = @intCast(total);
                            total += one.len;
                        }
                        offsets[writer.rows] = @intCast(total);
                        const values = memory.room(u8, total);
                        for (out.texts, offsets[0..writer.rows]) |one, offset| {
                            @memcpy(values[offset..][0..one.len], one);
                        }
                        into.offsets = .of(u8, std.mem.sliceAsBytes(offsets));
                        into.values = .of(u8, values);
                    },
                    else => into.values = .of(u8, out.values),
                }
            }
            return .{ .rows = writer.rows, .columns = columns };
        }
    };
}

pub inline fn set(bits: []u8, row: usize) void {
    bits.ptr[row / 8] |= @as(u8, 1) << @intCast(row % 8);
}

/// The columns of rows that were collected.
pub fn written(comptime T: type, rows: []const T) Batch {
    const writer: Writer(T) = .init(rows.len);
    for (rows, 0..) |row, i| writer.put(i, row);
    return writer.batch();
}
