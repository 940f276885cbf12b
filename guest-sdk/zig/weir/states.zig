//! Functions that remember: aggregates, and functions with a state for each key; and functions of whole
//! groups. The host keeps what they remember; it comes in as columns and goes back.

const calls = @import("call.zig");
const failures = @import("failures.zig");
const parameters = @import("parameters.zig");
const results = @import("results.zig");
const types = @import("types.zig");
const c = @import("columns.zig");
const Emitter = @import("rows.zig").Emitter;
const EmitterOf = @import("rows.zig").EmitterOf;
const Function = @import("function.zig").Function;

/// Folds rows into accumulators. `S` is a struct whose fields, with their defaults, are the accumulator's columns,
/// and which has
///
///     pub fn accumulate(self: *S, row: In) !void
///     pub fn merge(self: *S, other: S) void
///     pub fn finish(self: S) Out
///     pub fn retract(self: *S, row: In) !void      // may be left out
///
/// Parameters come behind the arguments of each but merge, where it wants them.
pub fn aggregate(comptime doc: []const u8, comptime S: type) Function {
    return .{ .kind = .aggregate, .doc = doc, .calls = if (@hasDecl(S, "retract")) struct {
        const common = Fold(S);
        pub const State = common.State;
        pub const Input = common.Input;
        pub const Output = common.Output;
        pub const Parameters = common.Parameters;
        pub const create = common.create;
        pub const accumulate = common.accumulate;
        pub const merge = common.merge;
        pub const finish = common.finish;

        pub fn retract(states: c.Batch, groups: []const u32, input: c.Batch) failures.Refused!void {
            return common.fold(S.retract, states, groups, input);
        }
    } else Fold(S) };
}

fn Fold(comptime S: type) type {
    return struct {
        pub const State = S;
        pub const Input = calls.Argument(S.accumulate, 1);
        pub const Output = calls.Payload(calls.Return(S.finish));
        pub const Parameters = Some(calls.Parameters(S.accumulate, 2), calls.Parameters(S.finish, 1));
        var held: ?Parameters = null;

        pub fn create(count: usize) failures.Refused!void {
            _ = try parameters.read(Parameters, &held);
            return created(S, count);
        }

        pub fn accumulate(states: c.Batch, groups: []const u32, input: c.Batch) failures.Refused!void {
            return fold(S.accumulate, states, groups, input);
        }

        pub fn fold(comptime take: anytype, states: c.Batch, groups: []const u32, input: c.Batch) failures.Refused!void {
            const p = try parameters.read(Parameters, &held);
            const all = c.Reader(S).init(states).all(states.rows);
            const in: c.Reader(Input) = .init(input);
            for (groups, 0..) |group, row| {
                // A row that fails leaves it as it was.
                var next = all[group];
                if (calls.call(take, .{ &next, in.get(row) }, p)) |_| {
                    all[group] = next;
                } else |failed| try failures.take(row, failed);
            }
            results.batch(c.written(S, all));
            results.errors();
        }

        pub fn merge(states: c.Batch, groups: []const u32, others: c.Batch) failures.Refused!void {
            const all = c.Reader(S).init(states).all(states.rows);
            const in: c.Reader(S) = .init(others);
            for (groups, 0..) |group, row| S.merge(&all[group], in.get(row));
            results.batch(c.written(S, all));
        }

        pub fn finish(states: c.Batch) failures.Refused!void {
            const p = try parameters.read(Parameters, &held);
            const in: c.Reader(S) = .init(states);
            const out: c.Writer(Output) = .init(states.rows);
            for (0..states.rows) |group| {
                var state = in.get(group);
                const self = if (comptime calls.Argument(S.finish, 0) == S) state else &state;
                const given = calls.call(S.finish, .{self}, p) catch |failed| return switch (failed) {
                    error.Refused => error.Refused,
                    error.OutOfMemory => @panic("out of memory"),
                    else => failures.refuseWith(failed),
                };
                out.put(group, given);
            }
            results.batch(out.batch());
        }
    };
}

fn Some(comptime A: type, comptime B: type) type {
    return if (A == calls.None) B else A;
}

fn created(comptime S: type, count: usize) void {
    const out: c.Writer(S) = .init(count);
    for (0..count) |i| out.put(i, comptime types.initial(S));
    results.batch(out.batch());
}

/// One row out for each row in, with a state for each key: `fn (*State, In) !Out`, parameters behind them.
/// A state is a struct of columns with defaults, or one value (a column `value`).
pub fn statefulMap(comptime doc: []const u8, comptime f: anytype) Function {
    const Out = calls.Payload(calls.Return(f));
    return stateful(doc, f, 2, Out, struct {
        inline fn step(state: anytype, row: anytype, out: *Emitter(Out), p: anytype) anyerror!void {
            out.emit(try calls.call(f, .{ state, row }, p));
        }
    });
}

/// Says which rows pass, with a state for each key: `fn (*State, In) !bool`.
pub fn statefulFilter(comptime doc: []const u8, comptime f: anytype) Function {
    return stateful(doc, f, 2, void, struct {
        inline fn step(state: anytype, row: anytype, out: *Emitter(void), p: anytype) anyerror!void {
            if (try calls.call(f, .{ state, row }, p)) out.emit({});
        }
    });
}

/// Any number of rows out for each row in, with a state for each key: `fn (*State, In, *weir.Emitter(Out)) !void`.
pub fn statefulFlatMap(comptime doc: []const u8, comptime f: anytype) Function {
    return stateful(doc, f, 3, EmitterOf(f, 2).Row, struct {
        inline fn step(state: anytype, row: anytype, out: anytype, p: anytype) anyerror!void {
            return calls.call(f, .{ state, row, out }, p);
        }
    });
}

fn stateful(comptime doc: []const u8, comptime f: anytype, comptime leading: usize, comptime Out: type, comptime steps: type) Function {
    return .{
        .kind = .stateful_mapper,
        .doc = doc,
        .calls = struct {
            pub const State = @typeInfo(calls.Argument(f, 0)).pointer.child;
            pub const Input = calls.Argument(f, 1);
            pub const Output = Out;
            pub const Parameters = calls.Parameters(f, leading);
            var held: ?Parameters = null;

            pub fn create(count: usize) failures.Refused!void {
                _ = try parameters.read(Parameters, &held);
                return created(State, count);
            }

            pub fn batch(states: c.Batch, groups: []const u32, input: c.Batch) failures.Refused!void {
                const p = try parameters.read(Parameters, &held);
                const all = c.Reader(State).init(states).all(states.rows);
                const in: c.Reader(Input) = .init(input);
                var out: Emitter(Out) = .{};
                for (groups, 0..) |group, row| {
                    out.parent = @intCast(row);
                    // A row that fails leaves it as it was.
                    var next = all[group];
                    if (steps.step(&next, in.get(row), &out, p)) |_| {
                        all[group] = next;
                    } else |failed| try failures.take(row, failed);
                }
                results.batch(c.written(State, all));
                out.result();
            }
        },
    };
}

/// One row out for each whole group of rows, which stand in the order of time: `fn ([]In) !Out`.
pub fn groupMap(comptime doc: []const u8, comptime f: anytype) Function {
    const Out = calls.Payload(calls.Return(f));
    return grouped(doc, f, 1, Out, struct {
        inline fn step(group: anytype, out: *Emitter(Out), p: anytype) anyerror!void {
            out.emit(try calls.call(f, .{group}, p));
        }
    });
}

/// Any number of rows out for each whole group: `fn ([]In, *weir.Emitter(Out)) !void`.
pub fn groupFlatMap(comptime doc: []const u8, comptime f: anytype) Function {
    return grouped(doc, f, 2, EmitterOf(f, 1).Row, struct {
        inline fn step(group: anytype, out: anytype, p: anytype) anyerror!void {
            return calls.call(f, .{ group, out }, p);
        }
    });
}

fn grouped(comptime doc: []const u8, comptime f: anytype, comptime leading: usize, comptime Out: type, comptime steps: type) Function {
    return .{ .kind = .group_mapper, .doc = doc, .calls = struct {
        pub const Input = @typeInfo(calls.Argument(f, 0)).pointer.child;
        pub const Output = Out;
        pub const Parameters = calls.Parameters(f, leading);
        var held: ?Parameters = null;

        pub fn batch(count: usize, groups: []const u32, input: c.Batch) failures.Refused!void {
            const p = try parameters.read(Parameters, &held);
            const all = c.Reader(Input).init(input).all(input.rows);
            var out: Emitter(Out) = .{};
            var start: usize = 0;
            for (0..count) |group| {
                out.parent = @intCast(group);
                var end = start;
                while (end < all.len and groups[end] == group) end += 1;
                steps.step(all[start..end], &out, p) catch |failed| try failures.take(group, failed);
                start = end;
            }
            out.result();
        }
    } };
}
