//! The result of a call, as the canonical ABI wants it: a tag, then words.

const columns = @import("columns.zig");
const failures = @import("failures.zig");

var words: [12]usize = undefined;
var count: usize = 0;

/// A call begins.
pub fn begin() void {
    words = @splat(0);
    count = 1;
}

fn put(word: usize) void {
    words[count] = word;
    count += 1;
}

pub fn list(given: columns.List) void {
    put(given.address);
    put(given.length);
}

pub fn batch(given: columns.Batch) void {
    put(given.rows);
    list(.of(columns.Column, given.columns));
}

pub fn errors() void {
    list(failures.all());
}

/// Where the host finds it.
pub fn end(outcome: failures.Refused!void) *const [12]usize {
    outcome catch {
        count = 0;
        put(1);
        list(.of(u8, failures.refusal()));
    };
    return &words;
}
