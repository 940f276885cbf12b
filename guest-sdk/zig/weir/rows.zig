//! Functions of rows: map, filter and flat map.

const std = @import("std");
const calls = @import("call.zig");
const failures = @import("failures.zig");
const memory = @import("memory.zig");
const parameters = @import("parameters.zig");
const results = @import("results.zig");
const types = @import("types.zig");
const c = @import("columns.zig");
const Function = @import("function.zig").Function;

/// One row out for each row in: `fn (In) Out`, `fn (In, Parameters) !Out`.
pub fn map(comptime doc: []const u8, comptime f: anytype) Function {
    return .{ .kind = .mapper, .doc = doc, .calls = struct {
        pub const Input = calls.Argument(f, 0);
        pub const Output = calls.Payload(calls.Return(f));
        pub const Parameters = calls.Parameters(f, 1);
        var held: ?Parameters = null;

        pub fn batch(input: c.Batch) failures.Refused!void {
            const p = try parameters.read(Parameters, &held);
            const in: c.Reader(Input) = .init(input);
            const out: c.Writer(Output) = .init(input.rows);
            for (0..input.rows) |row| {
                if (calls.call(f, .{in.get(row)}, p)) |given| {
                    out.put(row, given);
                } else |failed| {
                    try failures.take(row, failed);
                    out.nothing(row);
                }
            }
            results.batch(out.batch());
            results.errors();
        }
    } };
}

/// The same for whole columns of numbers: `fn (In, Out) void`, where `In` has a field `[]const f64` for each
/// column and `Out` one `[]f64`, to be filled; parameters come behind them.
pub fn mapColumns(comptime doc: []const u8, comptime f: anytype) Function {
    const In = calls.Argument(f, 0);
    const Out = calls.Argument(f, 1);
    return .{
        .kind = .mapper,
        .doc = doc,
        .calls = struct {
            pub const Input = Items(In, true);
            pub const Output = Items(Out, false);
            pub const Parameters = calls.Parameters(f, 2);
            var held: ?Parameters = null;

            pub fn batch(input: c.Batch) failures.Refused!void {
                const p = try parameters.read(Parameters, &held);
                var in: In = undefined;
                const read = @typeInfo(In).@"struct";
                inline for (read.field_names, read.field_types, 0..) |name, F, i| {
                    @field(in, name) = input.columns[i].values.items(@typeInfo(F).pointer.child);
                }
                const writer: c.Writer(Output) = .init(input.rows);
                var out: Out = undefined;
                const write = @typeInfo(Out).@"struct";
                inline for (write.field_names, write.field_types, 0..) |name, F, i| {
                    @field(out, name) = writer.column(i, @typeInfo(F).pointer.child);
                }
                // There is no row that an error could be of.
                calls.call(f, .{ in, out }, p) catch |failed| return switch (failed) {
                    error.Refused => error.Refused,
                    error.OutOfMemory => @panic("out of memory"),
                    else => failures.refuseWith(failed),
                };
                results.batch(writer.batch());
                results.errors();
            }
        },
    };
}

/// The row of a struct of slices.
fn Items(comptime T: type, comptime is_const: bool) type {
    const info = @typeInfo(T).@"struct";
    var each: [info.field_names.len]type = undefined;
    for (info.field_names, info.field_types, &each) |name, F, *one| {
        const pointer = switch (@typeInfo(F)) {
            .pointer => |pointer| pointer,
            else => @compileError("the column " ++ name ++ " has to be a slice"),
        };
        if (pointer.size != .slice or pointer.attrs.@"const" != is_const or types.width(types.dataType(pointer.child)) == 0) {
            @compileError("the column " ++ name ++ " has to be a slice of numbers, []const T in the input and []T in the output; other columns are for functions of rows");
        }
        one.* = pointer.child;
    }
    const kept = each;
    return @Struct(.auto, null, info.field_names, &kept, &@splat(.{}));
}

/// Keeps the rows it says true of: `fn (In) bool`, `fn (In, Parameters) !bool`.
pub fn filter(comptime doc: []const u8, comptime f: anytype) Function {
    return .{ .kind = .filter, .doc = doc, .calls = struct {
        pub const Input = calls.Argument(f, 0);
        pub const Output = void;
        pub const Parameters = calls.Parameters(f, 1);
        var held: ?Parameters = null;

        pub fn batch(input: c.Batch) failures.Refused!void {
            const p = try parameters.read(Parameters, &held);
            const in: c.Reader(Input) = .init(input);
            const kept = memory.zeroed(u8, (input.rows + 7) / 8);
            for (0..input.rows) |row| {
                if (calls.call(f, .{in.get(row)}, p)) |keep| {
                    kept.ptr[row / 8] |= @as(u8, @intFromBool(keep)) << @intCast(row % 8);
                } else |failed| try failures.take(row, failed);
            }
            results.list(.of(u8, kept));
            results.errors();
        }
    } };
}

/// Where a function puts the rows out that come from one row, or one group.
pub fn Emitter(comptime Out: type) type {
    return struct {
        pub const Row = Out;

        rows: std.ArrayList(Out) = .empty,
        parents: std.ArrayList(u32) = .empty,
        parent: u32 = 0,

        pub fn emit(emitter: *@This(), row: Out) void {
            emitter.rows.append(memory.call, row) catch @panic("out of memory");
            emitter.parents.append(memory.call, emitter.parent) catch @panic("out of memory");
        }

        pub fn result(emitter: *const @This()) void {
            results.batch(c.written(Out, emitter.rows.items));
            results.list(.of(u8, std.mem.sliceAsBytes(emitter.parents.items)));
            results.errors();
        }
    };
}

/// Any number of rows out for each row in: `fn (In, *weir.Emitter(Out)) !void`, parameters behind them.
pub fn flatMap(comptime doc: []const u8, comptime f: anytype) Function {
    const Into = EmitterOf(f, 1);
    return .{ .kind = .flat_mapper, .doc = doc, .calls = struct {
        pub const Input = calls.Argument(f, 0);
        pub const Output = Into.Row;
        pub const Parameters = calls.Parameters(f, 2);
        var held: ?Parameters = null;

        pub fn batch(input: c.Batch) failures.Refused!void {
            const p = try parameters.read(Parameters, &held);
            const in: c.Reader(Input) = .init(input);
            var out: Into = .{};
            for (0..input.rows) |row| {
                out.parent = @intCast(row);
                calls.call(f, .{ in.get(row), &out }, p) catch |failed| try failures.take(row, failed);
            }
            out.result();
        }
    } };
}

/// The emitter that an argument points to.
pub fn EmitterOf(comptime f: anytype, comptime i: usize) type {
    const T = calls.Argument(f, i);
    if (@typeInfo(T) != .pointer or !@hasDecl(@typeInfo(T).pointer.child, "Row")) {
        @compileError(@typeName(@TypeOf(f)) ++ " has to take a *weir.Emitter(Out), not a " ++ @typeName(T));
    }
    return @typeInfo(T).pointer.child;
}
