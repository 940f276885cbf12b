//! The Zig SDK without a component, called as the host would:
//!
//!     zig test --dep weir -Mroot=guest-sdk/zig/tests/weir_test.zig -Mweir=guest-sdk/zig/weir/weir.zig

const std = @import("std");
const weir = @import("weir");
const c = weir.columns;
const equal = std.testing.expectEqual;
const equalStrings = std.testing.expectEqualStrings;

const Every = struct {
    b: bool,
    i: i32,
    l: i64,
    f: f32,
    d: f64,
    t: weir.Timestamp,
    s: []const u8,
    y: weir.Bytes,
    n: ?f64,
    m: ?[]const u8,
};

const Price = struct { price: f64, id: ?i64 };

const Limit = struct {
    limit: f64 = 100,
    name: []const u8 = "né",

    pub const docs = .{ .limit = "From where on." };
};

const Value = struct { value: f64 };
const Text = struct { text: []const u8 };

const functions = struct {
    pub const not_a_function = 3;

    pub const classed = weir.map("Words.", struct {
        fn call(row: Price, p: Limit) ![]const u8 {
            if (row.price < 0) return weir.fail("{d} is below zero", .{row.price});
            if (row.price == 7) return error.Seven;
            return if (row.price > p.limit) "dear" else "cheap";
        }
    }.call);

    pub const doubled = weir.mapColumns("", struct {
        fn call(in: struct { value: []const f64 }, out: struct { twice: []f64 }) void {
            for (in.value, out.twice) |value, *twice| twice.* = 2 * value;
        }
    }.call);

    pub const kept = weir.filter("", struct {
        fn call(row: Value) !bool {
            if (row.value == 0) return weir.refuse("not zero", .{});
            return row.value > 1;
        }
    }.call);

    pub const words = weir.flatMap("", struct {
        fn call(row: Text, out: *weir.Emitter([]const u8)) void {
            var parts = std.mem.tokenizeScalar(u8, row.text, ' ');
            while (parts.next()) |part| out.emit(part);
        }
    }.call);

    pub const sum = weir.aggregate("", struct {
        const Sum = @This();

        sum: f64 = 0.5,

        pub fn accumulate(self: *Sum, row: Value) void {
            self.sum += row.value;
        }
        pub fn merge(self: *Sum, other: Sum) void {
            self.sum += other.sum;
        }
        pub fn finish(self: *const Sum, p: struct { factor: f64 = 2 }) f64 {
            return self.sum * p.factor;
        }
    });

    pub const balance = weir.statefulMap("", struct {
        fn call(held: *i64, row: struct { amount: i64 }) !i64 {
            held.* += row.amount;
            if (held.* < 0) return weir.fail("overdrawn", .{});
            return held.*;
        }
    }.call);

    pub const first = weir.statefulFilter("", struct {
        fn call(seen: *bool, _: Value) bool {
            defer seen.* = true;
            return !seen.*;
        }
    }.call);

    pub const largest = weir.groupMap("", struct {
        fn call(group: []Value) ?f64 {
            var most: ?f64 = null;
            for (group) |row| most = @max(most orelse row.value, row.value);
            return most;
        }
    }.call);
};

const Called = weir.Component(functions);

/// The index of a function, as the catalog has it.
fn at(name: []const u8) usize {
    for (catalog(), 0..) |one, i| {
        if (std.mem.eql(u8, string(one.name), name)) return i;
    }
    unreachable;
}

fn catalog() []const weir.Signature {
    const list = Called.functionList();
    return @as([*]const weir.Signature, @ptrFromInt(list.address))[0..list.length];
}

fn string(list: anytype) []const u8 {
    return @as([*]const u8, @ptrCast(list.address.?))[0..list.length];
}

/// What a call gave.
const Answer = struct {
    words: *const [12]usize,
    next: usize = 1,

    fn of(words: *const [12]usize) !Answer {
        try equal(0, words[0]);
        return .{ .words = words };
    }

    fn list(answer: *Answer, comptime T: type) []T {
        defer answer.next += 2;
        if (answer.words[answer.next + 1] == 0) return &.{};
        return @as([*]T, @ptrFromInt(answer.words[answer.next]))[0..answer.words[answer.next + 1]];
    }

    fn batch(answer: *Answer) c.Batch {
        answer.next += 1;
        const count = answer.words[answer.next - 1];
        return .{ .rows = count, .columns = answer.list(c.Column) };
    }

    fn rows(answer: *Answer, comptime T: type) []T {
        const given = answer.batch();
        return c.Reader(T).init(given).all(given.rows);
    }

    fn errors(answer: *Answer, expected: []const struct { usize, []const u8 }) !void {
        const Failed = extern struct { row: usize, message: c.List };
        const failed = answer.list(Failed);
        try equal(expected.len, failed.len);
        for (expected, failed) |want, got| {
            try equal(want[0], got.row);
            try equalStrings(want[1], got.message.items(u8));
        }
    }
};

fn mapped(name: []const u8, given: c.Batch) !Answer {
    return .of(Called.mapBatch(at(name), given.rows, given.columns.ptr, given.columns.len));
}

test "values come back as they went" {
    const rows = [_]Every{
        .{ .b = true, .i = std.math.minInt(i32), .l = std.math.maxInt(i64), .f = 0.5, .d = -0.1, .t = .{ .us = -3 }, .s = "né", .y = .{ .data = "\xff\x00" }, .n = 2.5, .m = "" },
        .{ .b = false, .i = 0, .l = 0, .f = 0, .d = 0, .t = .{ .us = 0 }, .s = "", .y = .{ .data = "" }, .n = null, .m = null },
        .{ .b = true, .i = 1, .l = 1, .f = 1, .d = 1, .t = .{ .us = 1 }, .s = "a", .y = .{ .data = "b" }, .n = 1, .m = "c" },
    };
    const batch = c.written(Every, &rows);
    try std.testing.expectEqualDeep(@as([]const Every, &rows), @as([]const Every, c.Reader(Every).init(batch).all(3)));
    try equal(0, c.written(Every, &.{}).rows);
}

test "types are the signature" {
    const signature = catalog()[0];
    try equalStrings("classed", string(signature.name));
    try equalStrings("Words.", string(signature.doc));
    try equal(2, signature.inputs.length);
    try equal(1, signature.outputs.length);
    try equal(2, signature.parameters.length);
    try equal(8, catalog().len);
    try std.testing.expect(!catalog()[at("sum")].retractable);
}

test "a row that fails leaves the others" {
    weir.stand_in.parameters = &.{.{ .name = "limit", .text = "50" }};
    var answer = try mapped("classed", c.written(Price, &.{
        .{ .price = 51, .id = 1 },
        .{ .price = -1, .id = null },
        .{ .price = 7, .id = 2 },
        .{ .price = 50, .id = null },
    }));
    const rows = answer.rows([]const u8);
    for ([_][]const u8{ "dear", "", "", "cheap" }, rows) |want, got| try equalStrings(want, got);
    try answer.errors(&.{ .{ 1, "-1 is below zero" }, .{ 2, "Seven" } });
}

test "whole columns of numbers" {
    var answer = try mapped("doubled", c.written(Value, &.{ .{ .value = 1 }, .{ .value = 2 } }));
    try std.testing.expectEqualSlices(f64, &.{ 2, 4 }, answer.rows(f64));
    var none = try mapped("doubled", c.written(Value, &.{}));
    try equal(0, none.rows(f64).len);
}

test "a filter, and a call that is refused" {
    const given = c.written(Value, &.{ .{ .value = 1 }, .{ .value = 2 }, .{ .value = 3 } });
    var answer: Answer = try .of(Called.filterBatch(at("kept"), 3, given.columns.ptr, 1));
    try std.testing.expectEqualSlices(u8, &.{0b110}, answer.list(u8));
    const zero = c.written(Value, &.{.{ .value = 0 }});
    const refused = Called.filterBatch(at("kept"), 1, zero.columns.ptr, 1);
    try equal(1, refused[0]);
    try equalStrings("not zero", @as([*]const u8, @ptrFromInt(refused[1]))[0..refused[2]]);
    try equal(1, Called.filterBatch(99, 1, zero.columns.ptr, 1)[0]);
    try equal(1, Called.filterBatch(at("kept"), 1, zero.columns.ptr, 0)[0]);
}

test "rows that are put out know their parents" {
    const given = c.written(Text, &.{ .{ .text = "a b" }, .{ .text = "" }, .{ .text = "c" } });
    var answer: Answer = try .of(Called.flatMapBatch(at("words"), 3, given.columns.ptr, 1));
    for ([_][]const u8{ "a", "b", "c" }, answer.rows([]const u8)) |want, got| try equalStrings(want, got);
    try std.testing.expectEqualSlices(u8, std.mem.sliceAsBytes(&[_]u32{ 0, 0, 2 }), answer.list(u8));
}

test "accumulators meet" {
    var created: Answer = try .of(Called.createAccumulators(at("sum"), 2));
    const fresh = created.batch();
    const given = c.written(Value, &.{ .{ .value = 1 }, .{ .value = 2 } });
    const groups = [_]u32{ 1, 1 };
    var folded: Answer = try .of(Called.accumulate(at("sum"), 2, fresh.columns.ptr, 1, &groups, 8, 2, given.columns.ptr, 1));
    const held = folded.batch();
    try std.testing.expectEqualSlices(f64, &.{ 0.5, 3.5 }, c.Reader(f64).init(held).all(2));
    const into = [_]u32{ 0, 0 };
    var merged: Answer = try .of(Called.merge(at("sum"), 2, held.columns.ptr, 1, &into, 8, 2, held.columns.ptr, 1));
    const all = merged.batch();
    var finished: Answer = try .of(Called.finish(at("sum"), 2, all.columns.ptr, 1));
    try std.testing.expectEqualSlices(f64, &.{ 9, 7 }, finished.rows(f64));
    const beyond = [_]u32{ 0, 2 };
    try equal(1, Called.merge(at("sum"), 2, held.columns.ptr, 1, &beyond, 8, 2, held.columns.ptr, 1)[0]);
}

test "a state is left alone by a row that fails" {
    var created: Answer = try .of(Called.createStates(at("balance"), 2));
    const fresh = created.batch();
    const given = c.written(i64, &.{ 5, -9, 1 });
    const groups = [_]u32{ 0, 0, 1 };
    var answer: Answer = try .of(Called.statefulMapBatch(at("balance"), 2, fresh.columns.ptr, 1, &groups, 12, 3, given.columns.ptr, 1));
    try std.testing.expectEqualSlices(i64, &.{ 5, 1 }, answer.rows(i64));
    try std.testing.expectEqualSlices(i64, &.{ 5, 1 }, answer.rows(i64));
    _ = answer.list(u8);
    try answer.errors(&.{.{ 1, "overdrawn" }});
}

test "rows that pass, by a state" {
    var created: Answer = try .of(Called.createStates(at("first"), 1));
    const fresh = created.batch();
    const given = c.written(Value, &.{ .{ .value = 1 }, .{ .value = 2 } });
    const groups = [_]u32{ 0, 0 };
    var answer: Answer = try .of(Called.statefulMapBatch(at("first"), 1, fresh.columns.ptr, 1, &groups, 8, 2, given.columns.ptr, 1));
    try std.testing.expectEqualSlices(bool, &.{true}, answer.rows(bool));
    try equal(1, answer.batch().rows);
    try std.testing.expectEqualSlices(u8, std.mem.sliceAsBytes(&[_]u32{0}), answer.list(u8));
}

test "whole groups, also one without rows" {
    const given = c.written(Value, &.{ .{ .value = 3 }, .{ .value = 1 }, .{ .value = 2 } });
    const groups = [_]u32{ 0, 0, 2 };
    var answer: Answer = try .of(Called.groupMapBatch(at("largest"), 3, &groups, 12, 3, given.columns.ptr, 1));
    try std.testing.expectEqualSlices(?f64, &.{ 3, null, 2 }, answer.rows(?f64));
}
