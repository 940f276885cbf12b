//! What a component says of its functions, laid out in the canonical ABI when it is compiled.

const parameters = @import("parameters.zig");
const types = @import("types.zig");
const Kind = @import("function.zig").Kind;

const List = extern struct {
    address: ?*const anyopaque = null,
    length: usize = 0,

    fn of(comptime T: type, comptime items: []const T) List {
        return .{ .address = items.ptr, .length = items.len };
    }
};

const Field = extern struct { name: List, data_type: types.DataType, nullable: bool };

const Parameter = extern struct {
    name: List,
    data_type: types.DataType,
    /// An option: whether there is one, and what it is.
    given: usize,
    default: List,
    doc: List,
};

pub const Signature = extern struct {
    name: List,
    kind: Kind,
    doc: List,
    parameters: List,
    inputs: List,
    outputs: List,
    accumulator: List,
    retractable: bool,
};

/// In the order of the functions. What is one value is a column named like its function; a state is called `value`.
pub fn signatures(comptime catalog: anytype) [catalog.len]Signature {
    comptime {
        @setEvalBranchQuota(100_000);
        var all: [catalog.len]Signature = undefined;
        for (catalog, &all) |named, *one| {
            const calls = named.function.calls;
            const State = if (@hasDecl(calls, "State")) calls.State else void;
            one.* = .{
                .name = .of(u8, named.name),
                .kind = named.function.kind,
                .doc = .of(u8, named.function.doc),
                .parameters = constants(parameters.list(calls.Parameters)),
                .inputs = fields(types.fields(calls.Input, "value")),
                .outputs = fields(types.fields(calls.Output, named.name)),
                .accumulator = fields(types.fields(State, "value")),
                .retractable = @hasDecl(calls, "retract"),
            };
        }
        return all;
    }
}

fn fields(comptime given: []const types.Field) List {
    comptime {
        var all: [given.len]Field = undefined;
        for (given, &all) |field, *one| {
            one.* = .{ .name = .of(u8, field.name), .data_type = field.data_type, .nullable = field.nullable };
        }
        const kept = all;
        return .of(Field, &kept);
    }
}

fn constants(comptime given: []const parameters.Parameter) List {
    comptime {
        var all: [given.len]Parameter = undefined;
        for (given, &all) |parameter, *one| {
            one.* = .{
                .name = .of(u8, parameter.name),
                .data_type = parameter.data_type,
                .given = @intFromBool(parameter.default != null),
                .default = .of(u8, parameter.default orelse ""),
                .doc = .of(u8, parameter.doc),
            };
        }
        const kept = all;
        return .of(Parameter, &kept);
    }
}
