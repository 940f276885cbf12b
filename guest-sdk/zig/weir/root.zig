//! The root of a component: the functions of a module, put out under the contract's names, and what Zig looks
//! for in a root: where panics and log lines go.

const std = @import("std");
const weir = @import("weir");
const functions = @import("functions");

pub const panic = std.debug.FullPanic(weir.panicked);

pub const std_options: std.Options =
    if (@hasDecl(functions, "std_options")) functions.std_options else .{ .logFn = weir.logFn, .log_level = .debug };

pub const std_options_debug_threaded_io: ?*std.Io.Threaded = null;
pub const std_options_debug_io: std.Io = weir.printed;

comptime {
    weir.Component(functions).exportAll();
}
