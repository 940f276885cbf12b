//! The exports of a component: the catalog, and a call for each kind of which it has a function.
//!
//! The host calls a function by its index among the public functions of the namespace. What it hands in was
//! made by `cabi_realloc`, in the call's memory; what it gets stays until it says that it has copied it.

const std = @import("std");
const failures = @import("failures.zig");
const memory = @import("memory.zig");
const parameters = @import("parameters.zig");
const results = @import("results.zig");
const types = @import("types.zig");
const c = @import("columns.zig");
const Function = @import("function.zig").Function;
const Kind = @import("function.zig").Kind;

const Named = struct { name: []const u8, function: Function };
const Result = *const [12]usize;

pub fn Component(comptime functions: type) type {
    return struct {
        const catalog = list: {
            @setEvalBranchQuota(100_000);
            var all: []const Named = &.{};
            for (@typeInfo(functions).@"struct".decl_names) |name| {
                if (@TypeOf(@field(functions, name)) == Function) {
                    all = all ++ .{Named{ .name = name, .function = @field(functions, name) }};
                }
            }
            if (all.len == 0) @compileError("there is no function: pub const NAME = weir.map(\"..\", ..);");
            break :list all;
        };

        const signatures = @import("catalog.zig").signatures(catalog);
        var listed: c.List = undefined;

        pub fn functionList() callconv(.c) *const c.List {
            listed = .{ .address = @intFromPtr(&signatures), .length = catalog.len };
            return &listed;
        }

        fn begin() void {
            failures.begin();
            results.begin();
        }

        /// The batch, if it has as many columns as it should.
        fn checked(comptime T: type, rows: usize, columns: [*]const c.Column, count: usize) failures.Refused!c.Batch {
            if (count != comptime types.fields(T, "value").len) {
                return failures.refuse("malformed batch: not as many columns as the signature has", .{});
            }
            return .{ .rows = rows, .columns = columns[0..count] };
        }

        /// For each row the index of its accumulator, state or group.
        fn indices(groups: [*]const u32, bytes: usize, rows: usize, below: usize) failures.Refused![]const u32 {
            if (bytes != rows * 4) return failures.refuse("malformed batch: not as many groups as rows", .{});
            for (groups[0..rows]) |group| {
                if (group >= below) return failures.refuse("malformed batch: a row is of a group that there is not", .{});
            }
            return groups[0..rows];
        }

        fn unknown() failures.Refused {
            return failures.refuse("the component has no such function of this kind", .{});
        }

        /// A map, a filter or a flat map.
        fn ofRows(comptime kind: Kind) type {
            return struct {
                fn call(index: usize, rows: usize, columns: [*]const c.Column, count: usize) callconv(.c) Result {
                    begin();
                    return results.end(dispatch(index, rows, columns, count));
                }
                fn dispatch(index: usize, rows: usize, columns: [*]const c.Column, count: usize) failures.Refused!void {
                    inline for (catalog, 0..) |named, i| if (named.function.kind == kind and index == i) {
                        const calls = named.function.calls;
                        return calls.batch(try checked(calls.Input, rows, columns, count));
                    };
                    return unknown();
                }
            };
        }

        fn creation(comptime kind: Kind) type {
            return struct {
                fn call(index: usize, count: usize) callconv(.c) Result {
                    begin();
                    return results.end(dispatch(index, count));
                }
                fn dispatch(index: usize, count: usize) failures.Refused!void {
                    inline for (catalog, 0..) |named, i| if (named.function.kind == kind and index == i) {
                        return named.function.calls.create(count);
                    };
                    return unknown();
                }
            };
        }

        const Folding = enum { accumulate, retract, merge, step };

        /// Whatever takes accumulators or states, and rows that go to them.
        fn fold(comptime what: Folding) type {
            return struct {
                fn call(
                    index: usize,
                    held: usize,
                    states: [*]const c.Column,
                    states_count: usize,
                    groups: [*]const u32,
                    groups_bytes: usize,
                    rows: usize,
                    columns: [*]const c.Column,
                    count: usize,
                ) callconv(.c) Result {
                    begin();
                    return results.end(dispatch(index, held, states, states_count, groups, groups_bytes, rows, columns, count));
                }
                fn dispatch(
                    index: usize,
                    held: usize,
                    states: [*]const c.Column,
                    states_count: usize,
                    groups: [*]const u32,
                    groups_bytes: usize,
                    rows: usize,
                    columns: [*]const c.Column,
                    count: usize,
                ) failures.Refused!void {
                    const kind: Kind = if (what == .step) .stateful_mapper else .aggregate;
                    inline for (catalog, 0..) |named, i| if (named.function.kind == kind and index == i) {
                        const calls = named.function.calls;
                        const all = try checked(calls.State, held, states, states_count);
                        const input = try checked(if (what == .merge) calls.State else calls.Input, rows, columns, count);
                        const of = try indices(groups, groups_bytes, rows, held);
                        return switch (what) {
                            .accumulate => calls.accumulate(all, of, input),
                            .merge => calls.merge(all, of, input),
                            .step => calls.batch(all, of, input),
                            .retract => if (@hasDecl(calls, "retract"))
                                calls.retract(all, of, input)
                            else
                                failures.refuse("the function can't do this", .{}),
                        };
                    };
                    return unknown();
                }
            };
        }

        pub fn finish(index: usize, held: usize, states: [*]const c.Column, states_count: usize) callconv(.c) Result {
            begin();
            return results.end(finished(index, held, states, states_count));
        }
        fn finished(index: usize, held: usize, states: [*]const c.Column, states_count: usize) failures.Refused!void {
            inline for (catalog, 0..) |named, i| if (named.function.kind == .aggregate and index == i) {
                const calls = named.function.calls;
                return calls.finish(try checked(calls.State, held, states, states_count));
            };
            return unknown();
        }

        pub fn groupMapBatch(
            index: usize,
            groups_count: usize,
            groups: [*]const u32,
            groups_bytes: usize,
            rows: usize,
            columns: [*]const c.Column,
            count: usize,
        ) callconv(.c) Result {
            begin();
            return results.end(groupMapped(index, groups_count, groups, groups_bytes, rows, columns, count));
        }
        fn groupMapped(
            index: usize,
            groups_count: usize,
            groups: [*]const u32,
            groups_bytes: usize,
            rows: usize,
            columns: [*]const c.Column,
            count: usize,
        ) failures.Refused!void {
            inline for (catalog, 0..) |named, i| if (named.function.kind == .group_mapper and index == i) {
                const calls = named.function.calls;
                const input = try checked(calls.Input, rows, columns, count);
                return calls.batch(groups_count, try indices(groups, groups_bytes, rows, groups_count), input);
            };
            return unknown();
        }

        pub const mapBatch = ofRows(.mapper).call;
        pub const filterBatch = ofRows(.filter).call;
        pub const flatMapBatch = ofRows(.flat_mapper).call;
        pub const createAccumulators = creation(.aggregate).call;
        pub const createStates = creation(.stateful_mapper).call;
        pub const accumulate = fold(.accumulate).call;
        pub const retract = fold(.retract).call;
        pub const merge = fold(.merge).call;
        pub const statefulMapBatch = fold(.step).call;

        fn has(comptime kind: Kind) bool {
            for (catalog) |named| if (named.function.kind == kind) return true;
            return false;
        }

        /// Memory for what the host hands in.
        fn realloc(old: ?[*]u8, old_size: usize, alignment: usize, size: usize) callconv(.c) [*]u8 {
            _ = alignment; // all room is aligned to 16
            if (size == 0) return @ptrFromInt(16);
            const made = memory.room(u8, size);
            if (old) |given| @memcpy(made[0..@min(old_size, size)], given[0..@min(old_size, size)]);
            return made.ptr;
        }

        /// The host has copied a result.
        fn taken(_: usize) callconv(.c) void {
            memory.forget();
        }

        fn put(comptime interface: []const u8, comptime name: []const u8, comptime f: anytype) void {
            const full = "weir:udf/" ++ interface ++ "@0.1.0#" ++ name;
            @export(&f, .{ .name = full });
            @export(&taken, .{ .name = "cabi_post_" ++ full });
        }

        /// Only what there is: the component has no more interfaces than it needs.
        pub fn exportAll() void {
            @export(&realloc, .{ .name = "cabi_realloc" });
            put("catalog", "functions", functionList);
            if (has(.mapper)) put("mapper", "map-batch", mapBatch);
            if (has(.filter)) put("filter", "filter-batch", filterBatch);
            if (has(.flat_mapper)) put("flat-mapper", "flat-map-batch", flatMapBatch);
            if (has(.aggregate)) {
                put("aggregate", "create", createAccumulators);
                put("aggregate", "accumulate", accumulate);
                put("aggregate", "retract", retract);
                put("aggregate", "merge", merge);
                put("aggregate", "finish", finish);
            }
            if (has(.stateful_mapper)) {
                put("stateful-mapper", "create", createStates);
                put("stateful-mapper", "stateful-map-batch", statefulMapBatch);
            }
            if (has(.group_mapper)) put("group-mapper", "group-map-batch", groupMapBatch);
        }
    };
}
