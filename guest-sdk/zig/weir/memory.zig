//! Memory of a call, which is gone as a whole when the host has taken the results, and memory that lasts.

const std = @import("std");
const builtin = @import("builtin");

/// As long as the instance, and no longer: parsed parameters, and tables that can be made again.
pub const lasting: std.mem.Allocator =
    if (builtin.target.cpu.arch.isWasm()) std.heap.wasm_allocator else std.heap.page_allocator;

var arena: std.heap.ArenaAllocator = .init(lasting);

/// Until the call is over: what comes in, what goes out, and what functions make of it.
pub const call: std.mem.Allocator = arena.allocator();

/// Room that is not cleared, aligned for vectors. What does not fit is a fault, which the host answers with
/// smaller batches.
pub fn room(comptime T: type, count: usize) []T {
    if (count == 0) return &.{};
    const bytes = call.rawAlloc(count * @sizeOf(T), .@"16", @returnAddress()) orelse @panic("out of memory");
    return @as([*]T, @ptrCast(@alignCast(bytes)))[0..count];
}

pub fn zeroed(comptime T: type, count: usize) []T {
    const made = room(T, count);
    @memset(std.mem.sliceAsBytes(made), 0);
    return made;
}

/// Forgets the call; its room is kept for the next one.
pub fn forget() void {
    _ = arena.reset(.retain_capacity);
}
