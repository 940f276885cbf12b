//! The reference functions of the conformance kit, in Zig. What they do stands in ../README.md.

const std = @import("std");
const weir = @import("weir");

const Every = struct {
    b: ?bool,
    i: ?i32,
    l: ?i64,
    f: ?f32,
    d: ?f64,
    t: ?weir.Timestamp,
    s: ?[]const u8,
    y: ?weir.Bytes,
};

pub const echo = weir.map("Every value as it came.", struct {
    fn call(row: Every) Every {
        return row;
    }
}.call);

pub const product = weir.mapColumns("a times b.", multiplied);

fn multiplied(in: struct { a: []const f64, b: []const f64 }, out: struct { product: []f64 }) void {
    for (in.a, in.b, out.product) |a, b, *both| both.* = a * b;
}

// Not of the kit, but to be measured beside the other.
pub const product_rows = weir.map("a times b, row by row.", struct {
    fn call(row: struct { a: f64, b: f64 }) f64 {
        return row.a * row.b;
    }
}.call);

pub const quotient = weir.map("a by b, towards zero.", divided);

fn divided(row: struct { a: i64, b: i64 }) !i64 {
    if (row.b == 0) return weir.fail("division by zero", .{});
    // The one quotient that is no i64.
    if (row.b == -1) return 0 -% row.a;
    return @divTrunc(row.a, row.b);
}

const Text = struct { text: []const u8 };

const Prefix = struct {
    prefix: []const u8,

    pub const docs = .{ .prefix = "What stands before it." };
};

pub const describe = weir.map("A text with a prefix and its length in bytes.", described);

fn described(row: Text, p: Prefix) ![]const u8 {
    return std.fmt.allocPrint(weir.allocator, "{s}{s}:{d}", .{ p.prefix, row.text, row.text.len });
}

const Settings = struct {
    flag: bool = true,
    small: i32 = -7,
    large: i64 = 9007199254740993,
    ratio: f64 = 0.1,
    since: weir.Timestamp = .{ .us = 1360326600000000 },
    name: []const u8 = "né",
};

const SettingsAndNow = struct {
    flag: bool,
    small: i32,
    large: i64,
    ratio: f64,
    since: weir.Timestamp,
    name: []const u8,
    now: weir.Timestamp,
};

pub const settings = weir.map("The parameters, and the time.", set);

fn set(_: struct { row: i64 }, p: Settings) SettingsAndNow {
    return .{
        .flag = p.flag,
        .small = p.small,
        .large = p.large,
        .ratio = p.ratio,
        .since = p.since,
        .name = p.name,
        .now = weir.now(),
    };
}

const Value = struct { value: f64 };

pub const above = weir.filter("Whether a value is above the threshold.", isAbove);

fn isAbove(row: Value, p: struct { threshold: f64 = 10.5 }) !bool {
    if (std.math.isNan(row.value)) return weir.fail("not a number", .{});
    return row.value > p.threshold;
}

const Word = struct { word: []const u8, position: i64 };

pub const words = weir.flatMap("What stands between spaces, with its place.", split);

fn split(row: Text, out: *weir.Emitter(Word)) !void {
    if (std.mem.eql(u8, row.text, "!")) return weir.fail("no words", .{});
    var parts = std.mem.tokenizeScalar(u8, row.text, ' ');
    var position: i64 = 0;
    while (parts.next()) |part| : (position += 1) out.emit(.{ .word = part, .position = position });
}

pub const mean = weir.aggregate("The mean of values that are not negative.", struct {
    const Mean = @This();

    sum: f64 = 0,
    count: i64 = 0,

    pub fn accumulate(self: *Mean, row: Value) !void {
        if (row.value < 0) return weir.fail("negative", .{});
        self.sum += row.value;
        self.count += 1;
    }

    pub fn retract(self: *Mean, row: Value) void {
        self.sum -= row.value;
        self.count -= 1;
    }

    pub fn merge(self: *Mean, other: Mean) void {
        self.sum += other.sum;
        self.count += other.count;
    }

    pub fn finish(self: Mean) ?f64 {
        if (self.count == 0) return null;
        return self.sum / @as(f64, @floatFromInt(self.count));
    }
});

pub const longest = weir.aggregate("The first of the texts with most bytes.", struct {
    const Longest = @This();

    text: ?[]const u8 = null,

    pub fn accumulate(self: *Longest, row: Text) void {
        if (self.text == null or row.text.len > self.text.?.len) self.text = row.text;
    }

    pub fn merge(self: *Longest, other: Longest) void {
        if (other.text) |text| self.accumulate(.{ .text = text });
    }

    pub fn finish(self: Longest) ?[]const u8 {
        return self.text;
    }
});

pub const balance = weir.statefulMap("What is left on an account.", booked);

fn booked(held: *i64, row: struct { amount: i64 }) !i64 {
    held.* += row.amount;
    if (held.* < 0) return weir.fail("overdrawn", .{});
    return held.*;
}

pub const median = weir.groupMap("The middle of the sorted values.", middle);

fn middle(group: []Value) ?f64 {
    if (group.len == 0) return null;
    std.mem.sort(Value, group, {}, struct {
        fn lessThan(_: void, a: Value, b: Value) bool {
            return a.value < b.value;
        }
    }.lessThan);
    const half = group.len / 2;
    return if (group.len % 2 == 1) group[half].value else (group[half - 1].value + group[half].value) / 2;
}

pub const complain = weir.map("Logs each text, and refuses the batch.", refused);

fn refused(row: Text) ![]const u8 {
    std.log.info("about to fail: {s}", .{row.text});
    return weir.refuse("complained", .{});
}

// Not of the kit, but of its tests.jsonl: what a panic says.
pub const trips = weir.map("Panics at 3.", struct {
    fn call(row: struct { n: i64 }) i64 {
        const squares = [_]i64{ 0, 1, 4 };
        return squares[@intCast(row.n)];
    }
}.call);

pub const printed = weir.map("Prints, which is logged.", struct {
    fn call(row: struct { n: i64 }) i64 {
        std.debug.print("n is {d}\n", .{row.n});
        return std.math.maxInt(i64) - 3 + row.n;
    }
}.call);
